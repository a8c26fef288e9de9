curl '{{url}}/access/v1/evaluations' \
  -H 'Authorization: Bearer {{token}}' \
  -H 'Content-Type: application/json' \
  -d '{
    "subject": {"type": "officer", "id": "{{officer}}"},
    "resource": {"type": "unit", "id": "TH-12"},
    "evaluations": [
      {"action": {"name": "consider"}},
      {"action": {"name": "review"}},
      {"action": {"name": "approve"}}
    ],
    "options": {"evaluations_semantic": "execute_all"}
  }'
