import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Problem } from '../../../server/problem/problem.ts';
import { Browser } from '../browser.ts';
import { everythingStored } from '../engines.ts';
import { addAudit } from '../rows.ts';
import { SoftKey } from '../soft-key.ts';
import {
  Enrolment,
  enrolPerson,
  expectProblem,
  inviteCode,
  moveClock,
  newEmail,
  SignIn,
  signIn,
  startServer,
  type TestServer,
} from '../support.ts';
import { addTrigger } from '../triggers.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());
beforeEach(() => server.context.store.deleteFrom('audit_windows').execute());

const countAuditRows = async () => (await server.context.store.selectFrom('audit').select('id').execute()).length;
const windows = () =>
  server.context.store
    .selectFrom('audit_windows')
    .select(['event', 'problem', 'email', 'key_id', 'count', 'last_ip'])
    .orderBy('count')
    .execute();

test('strangers write no rows: what they cause is counted, and nothing that they say is stored', async () => {
  // In the middle of an hour, so that all of this falls into one.
  moveClock(server, 1_800_000 - (Date.now() % 3_600_000));
  const before = await countAuditRows();
  const browser = new Browser(server.origin);
  for (let count = 0; count < 20; count += 1) {
    await browser.post('/enroll/start', {
      invitation: `nonsense ${count}`,
      email: 'mallory@evil.example',
      machine: 'evil',
    });
  }
  const page = await SignIn.open(server.origin);
  for (const credentialId of ['\u001b[2Jevil', 'x'.repeat(1400), 'evil', '\u202eevil', '']) {
    const key = new SoftKey(server.origin);
    key.userHandle = 'evil';
    const answer = key.get(await page.options(), { origin: 'https://evil.example' });
    await page.post('verify', { ...answer, id: credentialId, rawId: credentialId });
  }
  expect(await countAuditRows()).toBe(before);
  expect(await windows()).toEqual([
    {
      event: 'sign-in-refused',
      problem: 'unknown-key',
      email: '',
      key_id: '',
      count: 5,
      last_ip: page.browser.address,
    },
    {
      event: 'enrolment-refused',
      problem: 'invitation-refused',
      email: '',
      key_id: '',
      count: 20,
      last_ip: browser.address,
    },
  ]);
  expect(await everythingStored(server.databaseUrl)).not.toMatch(/evil|nonsense/);
});

test('of many refusals at the same moment each is counted', async () => {
  moveClock(server, 1_800_000 - (Date.now() % 3_600_000));
  const browsers = Array.from({ length: 100 }, () => new Browser(server.origin));
  await Promise.all(browsers.map((browser) => browser.post('/enroll/start', { invitation: 'nonsense' })));
  expect((await windows()).map(({ count }) => count)).toEqual([100]);
});

test('each hour has its own count', async () => {
  const begin = Date.now() - (Date.now() % 3_600_000);
  for (const at of [begin, begin + 3_599_999, begin + 3_600_000]) {
    server.context.now = () => at;
    await new Browser(server.origin).post('/enroll/start', { invitation: 'nonsense' });
  }
  moveClock(server, 0);
  const rows = await server.context.store
    .selectFrom('audit_windows')
    .select(['began_at', 'count', 'last_at'])
    .orderBy('began_at')
    .execute();
  expect(rows).toEqual([
    { began_at: begin, count: 2, last_at: begin + 3_599_999 },
    { began_at: begin + 3_600_000, count: 1, last_at: begin + 3_600_000 },
  ]);
});

test('a refusal names the enrolled key, and the invited person', async () => {
  moveClock(server, 1_800_000 - (Date.now() % 3_600_000));
  const { email, key } = await enrolPerson(server);
  const page = await SignIn.open(server.origin);
  await expectProblem(await page.touch(key, { badSignature: true }), 403, 'assertion-refused');
  const invited = newEmail();
  const code = await inviteCode(server, invited);
  const enrolment = await Enrolment.open(server.origin, code);
  await enrolment.register(new SoftKey(server.origin), { userVerified: false });
  await enrolment.register(new SoftKey(server.origin), { userVerified: false });
  await enrolment.browser.post('/enroll/start', { invitation: code, email: 'mallory@evil.example' });
  await enrolment.browser.post('/enroll/start', { invitation: code, email: 'mallory@evil.example' });
  await enrolment.browser.post('/enroll/start', { invitation: code, email: 'mallory@evil.example' });
  const last_ip = enrolment.browser.address;
  expect(await windows()).toEqual([
    {
      event: 'sign-in-refused',
      problem: 'assertion-refused',
      email,
      key_id: key.id,
      count: 1,
      last_ip: page.browser.address,
    },
    { event: 'enrolment-refused', problem: 'user-not-verified', email: invited, key_id: '', count: 2, last_ip },
    { event: 'enrolment-refused', problem: 'invitation-refused', email: invited, key_id: '', count: 3, last_ip },
  ]);
});

test('an event whose audit row cannot be written does not happen', async () => {
  const { store } = server.context;
  const { email, key } = await enrolPerson(server);
  const { client, access_token } = await signIn(server.origin, key);
  const invited = newEmail();
  const enrolment = await Enrolment.open(server.origin, await inviteCode(server, invited));
  const page = await SignIn.open(server.origin);
  const sessions = async () => (await store.selectFrom('sessions').select('id').execute()).length;
  const before = await sessions();
  const remove = await addTrigger(server.context, 'before insert on audit', { fail: 'no room' });
  try {
    await expectProblem(await enrolment.register(new SoftKey(server.origin)), 500, 'internal-error');
    await expectProblem(await page.touch(key), 500, 'internal-error');
    await expectProblem(await client.api('DELETE', '/api/session', access_token), 500, 'internal-error');
    await expect(inviteCode(server, email)).rejects.toThrow('no room');
  } finally {
    await remove();
  }
  expect(await store.selectFrom('people').where('email', '=', invited).select('id').execute()).toEqual([]);
  const open = store.selectFrom('invitations').where('email', '=', email).where('used_at', 'is', null);
  expect(await open.select('id').execute()).toEqual([]);
  expect(await sessions()).toBe(before);
  expect((await client.api('GET', '/api/session', access_token)).status).toBe(200);
});

test('an IP address is written in its one form, and anything else is not written', async () => {
  const { store } = server.context;
  const forms: [string | null | undefined, string | null][] = [
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:DB8::0:1', '2001:db8::1'],
    ['x'.repeat(12_000), null],
    ['undefined', null],
    [null, null],
    [undefined, null],
  ];
  for (const [ip, written] of forms) {
    await addAudit(store, Date.now(), {
      event: 'invited',
      actor: 'server',
      from: { ip: ip as string, requestId: 'r' },
    });
    const row = await store.selectFrom('audit').select('ip').orderBy('id', 'desc').limit(1).executeTakeFirstOrThrow();
    expect(row.ip).toBe(written);
  }
});

test('a refusal’s reason, which goes to the log, is short and has no control characters', () => {
  const reason = `expected "\u001b[2J\u009b31m\u202e\n${'x'.repeat(400)}"`;
  const problem = new Problem({ kind: 'assertion-refused', what: 'Refused', fix: 'Try again.', reason });
  expect(problem.reason).toMatch(/^expected " \[2J 31m x+$/);
  expect(problem.reason.length).toBeLessThanOrEqual(300);
});
