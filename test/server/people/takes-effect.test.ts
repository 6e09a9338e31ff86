import { afterAll, beforeAll, expect, test } from 'vitest';
import type { By } from '../../../server/audit/audit.ts';
import { disable, enable } from '../../../server/people/disable.ts';
import { endSessionsOfPerson } from '../../../server/people/end-sessions.ts';
import { remove } from '../../../server/people/remove.ts';
import { removeNamedKey } from '../../../server/people/remove-named-key.ts';
import { setEndDate } from '../../../server/people/set-end-date.ts';
import type { StoreTransaction } from '../../../server/store/store.ts';
import {
  enrolPerson,
  expectProblem,
  jsonOf,
  moveClock,
  SignIn,
  signIn,
  startServer,
  type TestServer,
} from '../support.ts';

const BY: By = { actor: 'cli:root' };
const ROLE = 'arn:aws:iam::123456789012:role/VouchDeveloper';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** Changes something in the database of the running server, as a command does that has it open too. */
async function fromOutside(work: (transaction: StoreTransaction) => Promise<unknown>): Promise<void> {
  const store = await server.context.config.database.openExisting();
  try {
    await store.transaction().execute(work);
  } finally {
    await store.destroy();
  }
}

const changes: [
  string,
  (transaction: StoreTransaction, email: string, keyId: string) => Promise<unknown>,
  string | null,
][] = [
  ['disabled', (transaction, email) => disable(transaction, Date.now(), email, BY), 'person-shut-out'],
  ['removed', (transaction, email) => remove(transaction, Date.now(), email, BY), 'unknown-key'],
  [
    'left without the key',
    (transaction, email, id) => removeNamedKey(transaction, Date.now(), email, id, BY),
    'unknown-key',
  ],
  ['signed out', (transaction, email) => endSessionsOfPerson(transaction, Date.now(), email, BY), null],
];

test.each(changes)('a person who is %s gets nothing from the next request on', async (_, change, refusal) => {
  const { email, key } = await enrolPerson(server);
  const { client, access_token: token } = await signIn(server.origin, key);
  const other = await enrolPerson(server);
  const others = await signIn(server.origin, other.key);
  const page = await SignIn.open(server.origin);
  await jsonOf(await client.api('GET', '/api/session', token));

  await fromOutside((transaction) => change(transaction, email, key.id));

  await expectProblem(await client.api('GET', '/api/session', token), 401, 'session-over');
  const asked = await client.api('POST', '/api/aws/token', token, { body: { role: ROLE } });
  await expectProblem(asked, 401, 'session-over');
  const touch = await page.touch(key);
  if (refusal === null) expect(touch.status).toBe(200);
  else await expectProblem(touch, 403, refusal);
  await jsonOf(await others.client.api('GET', '/api/session', others.access_token));
});

test('a session does not come back when its person is enabled again', async () => {
  const { email, key } = await enrolPerson(server);
  const { client, access_token: token } = await signIn(server.origin, key);
  await fromOutside((transaction) => disable(transaction, Date.now(), email, BY));
  await fromOutside((transaction) => enable(transaction, Date.now(), email, BY));
  await expectProblem(await client.api('GET', '/api/session', token), 401, 'session-over');
  await signIn(server.origin, key);
});

test('an end date shuts out when it comes, also a session that has begun', async () => {
  const { email, key } = await enrolPerson(server);
  const { client, access_token: token } = await signIn(server.origin, key);
  await fromOutside((transaction) => setEndDate(transaction, Date.now(), email, Date.now() + 60_000, BY));
  await jsonOf(await client.api('GET', '/api/session', token));
  moveClock(server, 61_000);
  await expectProblem(await client.api('GET', '/api/session', token), 401, 'session-over');
  await expectProblem(await (await SignIn.open(server.origin)).touch(key), 403, 'person-shut-out');
});
