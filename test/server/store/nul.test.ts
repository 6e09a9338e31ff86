import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyTrail } from '../../../server/audit/verify.ts';
import { readSnapshot } from '../../../server/store/snapshot.ts';
import { AccountPage } from '../account/account-page.ts';
import { Browser } from '../browser.ts';
import { CliClient } from '../cli-client.ts';
import { newStore } from '../engines.ts';
import { addAudit } from '../rows.ts';
import {
  Enrolment,
  enrolPerson,
  inviteCode,
  newEmail,
  SignIn,
  signIn,
  startServer,
  type TestServer,
} from '../support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

test('a text with U+0000 is refused like any other wrong one, wherever a client can send it', async () => {
  const { email, key } = await enrolPerson(server);
  const { client, access_token: token } = await signIn(server.origin, key);
  const browser = new Browser(server.origin);
  const enrolment = await Enrolment.start(server.origin, await inviteCode(server, newEmail()));
  const page = await SignIn.open(server.origin);
  const assertion = key.get(await page.options());
  const account = await AccountPage.signIn(server.origin, key);
  const text = 'a\0b';
  const answers: [string, Response][] = [
    ['invitation', await browser.post('/enroll/start', { invitation: text, machine: 'laptop' })],
    ['machine', await browser.post('/enroll/start', { invitation: await inviteCode(server, email), machine: text })],
    ['address', await browser.post('/enroll/start', { invitation: text, email: `${text}@example.com` })],
    ['ticket', await browser.post('/enroll/a%00b/open', {})],
    ['poll', await browser.post('/enroll/status', { poll: text })],
    ['words', await browser.post('/enroll/approve', { poll: enrolment.poll, words: text })],
    ['interaction', await browser.post('/login/a%00b/options', {})],
    ['credential', await page.post('verify', { ...assertion, id: text, rawId: text })],
    ['code', await (await CliClient.create(server.origin)).redeem(text)],
    ['session', await client.api('DELETE', '/api/sessions/a%00b', token)],
    ['key', await client.api('DELETE', '/api/keys/a%00b', token)],
    ['token', await client.api('GET', '/api/session', text).catch(() => new Response(null, { status: 400 }))],
    ['key name', await account.send('PATCH', `keys/${key.id}`, { name: text })],
    ['key of the page', await account.send('DELETE', 'keys/a%00b')],
    ['session of the page', await account.send('DELETE', 'sessions/a%00b')],
  ];
  expect(
    answers.filter(([, { status }]) => status >= 500 || status < 400).map(([what, { status }]) => [what, status]),
  ).toEqual([]);
});

test('the audit trail proves a text with U+0000, which it stores as U+FFFD', async () => {
  const store = await newStore();
  await addAudit(store, 1, { event: 'key-renamed', actor: 'a\0', machine: '\0', detail: { name: '\0' } });
  expect((await readSnapshot(store, verifyTrail)).fault).toBeUndefined();
  expect(await store.selectFrom('audit').select(['actor', 'machine', 'detail']).execute()).toEqual([
    { actor: 'a\ufffd', machine: '\ufffd', detail: '{"name":"\\u0000"}' },
  ]);
});
