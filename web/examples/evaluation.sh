curl '{{url}}/access/v1/evaluation' \
  -H 'Authorization: Bearer {{token}}' \
  -H 'Content-Type: application/json' \
  -d '{
    "subject": {"type": "officer", "id": "{{officer}}"},
    "action": {"name": "approve"},
    "resource": {"type": "unit", "id": "TH-12"}
  }'
