import json
import urllib.request

question = {
    "subject": {"type": "officer", "id": "{{officer}}"},
    "action": {"name": "approve"},
    "resource": {"type": "unit", "id": "TH-12"},
}
request = urllib.request.Request(
    "{{url}}/access/v1/evaluation",
    data=json.dumps(question).encode(),
    headers={
        "Authorization": "Bearer {{token}}",
        "Content-Type": "application/json",
    },
)
with urllib.request.urlopen(request, timeout=3) as response:
    answer = json.load(response)
print(answer["decision"], answer["context"]["reason"])
