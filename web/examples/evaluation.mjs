const response = await fetch('{{url}}/access/v1/evaluation', {
  method: 'POST',
  headers: {
    Authorization: 'Bearer {{token}}',
    'Content-Type': 'application/json',
  },
  body: JSON.stringify({
    subject: { type: 'officer', id: '{{officer}}' },
    action: { name: 'approve' },
    resource: { type: 'unit', id: 'TH-12' },
  }),
  signal: AbortSignal.timeout(3000),
});
if (!response.ok) throw new Error(await response.text());
const { decision, context } = await response.json();
console.log(decision, context.reason);
