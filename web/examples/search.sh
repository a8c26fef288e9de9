curl '{{url}}/access/v1/search/subject' \
  -H 'Authorization: Bearer {{token}}' \
  -H 'Content-Type: application/json' \
  -d '{
    "subject": {"type": "officer"},
    "action": {"name": "approve"},
    "resource": {"type": "unit", "id": "TH-12"},
    "page": {"limit": 20}
  }'
