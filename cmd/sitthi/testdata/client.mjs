// Asks the demonstration by a client that knows nothing of Sitthi or AuthZEN: openapi-client-axios makes it from the
// OpenAPI description that the program serves. TestOtherProgramsAsk runs it: node client.mjs URL TOKEN
import assert from 'node:assert/strict';
import { OpenAPIClientAxios } from 'openapi-client-axios';

const [base, token] = process.argv.slice(2);
const considers = '3990000000201', approves = '3990000000210', inTeam = '3990000000317', chief = '3990000000104';

const api = new OpenAPIClientAxios({
  definition: `${base}/access/v1/openapi.json`,
  withServer: { url: base },
  axiosConfigDefaults: { headers: { Authorization: `Bearer ${token}` }, timeout: 5000, validateStatus: () => true, proxy: false },
});
const client = await api.init();
const operations = api.getOperations().map((o) => o.operationId).sort();
const asked = new Set();
async function ask(operation, question, config) {
  asked.add(operation);
  const { status, headers, data } = await client[operation](null, question, config);
  return { status, headers, data };
}
async function answer(operation, question, config) {
  const { status, headers, data } = await ask(operation, question, config);
  assert.equal(status, 200, `${operation}: ${JSON.stringify(data)}`);
  assert.match(headers['content-type'], /^application\/json/);
  return data;
}
const officer = (id) => ({ type: 'officer', id });
const unit = (id) => ({ type: 'unit', id });
const group = (id) => ({ type: 'group', id });
const action = (name) => ({ name });

// One question: yes, no with its reason, of another moment with its conditions, and about what nobody knows.
const mine = { subject: officer(considers), action: action('consider'), resource: unit('TH-12') };
const yes = await answer('evaluation', mine);
assert.equal(yes.decision, true);
assert.equal(yes.context.reason, 'permitted');
assert.deepEqual(Object.keys(yes.context.reason_user).sort(), ['en', 'th']);
const no = await answer('evaluation', { ...mine, action: action('approve'), resource: unit('P12') });
assert.deepEqual([no.decision, no.context.reason], [false, 'other_level']);
const then = await answer('evaluation', { subject: officer(approves), action: action('approve'), resource: unit('TH-12'), context: { at: '2001-01-01T00:00:00Z', explain: true } });
assert.equal(then.decision, false);
assert.ok(then.context.conditions.some((c) => c.met === 'no'));
for (const [part, reason] of [
  [{ subject: officer('1990000000043') }, 'unknown_subject'],
  [{ resource: unit('TH-99') }, 'unknown_resource'],
  [{ action: action('dance') }, 'unknown_action'],
]) {
  const unknown = await answer('evaluation', { ...mine, ...part });
  assert.deepEqual([unknown.decision, unknown.context.reason], [false, reason]);
}

// Many questions, by each of the three semantics and by none.
const many = { subject: mine.subject, action: mine.action, evaluations: [{ resource: unit('TH-12') }, { resource: unit('TH-13') }, { resource: unit('TH-12') }] };
for (const [semantic, want] of [
  [undefined, [true, false, true]],
  ['execute_all', [true, false, true]],
  ['deny_on_first_deny', [true, false]],
  ['permit_on_first_permit', [true]],
]) {
  const { evaluations } = await answer('evaluations', semantic ? { ...many, options: { evaluations_semantic: semantic } } : many);
  assert.deepEqual(evaluations.map((e) => e.decision), want, semantic);
}
const groups = await answer('evaluations', { subject: officer(inTeam), action: action('consider'), evaluations: [{ resource: group('IWM/G1') }, { resource: unit('IWM') }] });
assert.equal(groups.evaluations.length, 2);
assert.equal(groups.evaluations[1].decision, false);

// Searches, and all pages of one: the same as without pages.
const who = { subject: { type: 'officer' }, action: action('consider'), resource: unit('TH-12') };
const whole = (await answer('searchSubject', who)).results.map((r) => r.id);
assert.ok(whole.includes(yes.context.person) && whole.length > 1, `${whole.length} officers consider`);
const paged = [];
for (let page = { limit: 1 }; ;) {
  const found = await answer('searchSubject', { ...who, page });
  assert.ok(found.results.length <= 1);
  paged.push(...found.results.map((r) => r.id));
  if (!found.page.next_token) break;
  page = { limit: 1, token: found.page.next_token };
}
assert.deepEqual(paged, whole);
const places = await answer('searchResource', { subject: mine.subject, action: mine.action, resource: { type: 'unit' } });
assert.deepEqual(places.results, [unit('TH-12')]);
const acts = await answer('searchAction', { subject: officer(chief), resource: unit('TH-12') });
assert.ok(acts.results.some((r) => r.name === 'administer'));

// Where the services are.
const services = await answer('metadata');
assert.equal(services.policy_decision_point, base);
for (const [name, path] of [['access_evaluation_endpoint', 'evaluation'], ['access_evaluations_endpoint', 'evaluations'],
  ['search_subject_endpoint', 'search/subject'], ['search_resource_endpoint', 'search/resource'], ['search_action_endpoint', 'search/action']]) {
  assert.equal(services[name], `${base}/access/v1/${path}`);
}
assert.equal((await answer('openapi')).openapi.slice(0, 3), '3.1');

// A request keeps its name; what is malformed, and who is not known, is told so.
const id = 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716';
const named = { headers: { 'X-Request-ID': id } };
for (const operation of ['evaluation', 'evaluations', 'searchSubject', 'searchResource', 'searchAction']) {
  const malformed = await ask(operation, { subject: 'nobody' }, named);
  assert.equal(malformed.status, 400, operation);
  assert.ok(malformed.data.trim().length > 0);
  assert.equal(malformed.headers['x-request-id'], id);
  const stranger = await ask(operation, mine, { headers: { ...named.headers, Authorization: 'Bearer wrong' } });
  assert.equal(stranger.status, 401, operation);
  assert.match(stranger.headers['www-authenticate'], /^Bearer/);
  assert.equal(stranger.headers['x-request-id'], id);
}
assert.equal((await ask('evaluation', mine, named)).headers['x-request-id'], id);

assert.deepEqual([...asked].sort(), operations);
console.log(`asked ${asked.size} operations`);
