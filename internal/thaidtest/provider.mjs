// A provider of OpenID Connect in the place of ThaID: whoever types a citizen ID is its owner.
// Tells its issuer on the first line, and ends when its input does.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const names = { 3990000000228: ['สมศักดิ์', 'ใจดีมาก'] };
const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'sitthi', client_secret: 'a secret/of=the+client', redirect_uris: ['http://localhost/officer/thaid/callback'],
    grant_types: ['authorization_code'], response_types: ['code'],
  }],
  scopes: ['openid', 'pid', 'name', 'given_name', 'family_name'],
  claims: { openid: ['sub'], pid: ['pid'], name: ['name'], given_name: ['given_name'], family_name: ['family_name'] },
  conformIdTokenClaims: false, // as ThaID does, the ID token tells who it is
  pkce: { required: () => true },
  cookies: { keys: ['of the tests'] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => {
      const [given, family] = names[id] ?? ['ไม่มี', 'ชื่อ'];
      return { sub: id, pid: id, name: `${given} ${family}`, given_name: given, family_name: family };
    },
  }),
  loadExistingGrant: async ({ oidc }) => {
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope(oidc.params.scope);
    await grant.save();
    return grant;
  },
});
// The port of the program under test is not known before it starts.
provider.Client.prototype.redirectUriAllowed = (uri) => new URL(uri).hostname === 'localhost' && new URL(uri).pathname === '/officer/thaid/callback';

const page = `<!doctype html><html lang="th"><meta name="viewport" content="width=device-width"><title>ThaID</title><link rel="icon" href="data:,">
<main><h1>ThaID ของการทดสอบ</h1><form method="post"><label>เลขประจำตัวประชาชน <input name="pid"></label>
<button name="answer" value="yes">ยินยอม</button> <button name="answer" value="no">ไม่ยินยอม</button></form></main></html>`;

const own = provider.callback();
server.on('request', async (request, response) => {
  if (!request.url.startsWith('/interaction/')) {
    own(request, response);
    return;
  }
  if (request.method === 'GET') {
    await provider.interactionDetails(request, response);
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(page);
    return;
  }
  let body = '';
  for await (const part of request) body += part;
  const form = new URLSearchParams(body);
  const result = form.get('answer') === 'yes' ? { login: { accountId: form.get('pid') } } : { error: 'access_denied', error_description: 'said no' };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
});

process.stdin.on('end', () => process.exit()).resume();
console.log(issuer);
