import { afterAll, beforeAll, expect, test } from 'vitest';
import { sweeperFor } from '../../../server/serve.ts';
import { SoftKey } from '../soft-key.ts';
import {
  Enrolment,
  enrolPerson,
  inviteCode,
  jsonOf,
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

test('sweeping deletes what has expired, and nothing that is under way', async () => {
  const { store } = server.context;
  const { key } = await enrolPerson(server);
  const { client, access_token } = await signIn(server.origin, key);
  const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
  const creation = await enrolment.options();
  const page = await SignIn.open(server.origin);
  const options = await page.options();

  const hour = 3600_000;
  let elapsed = 0;
  const sweeper = sweeperFor(server.context, () => elapsed);
  await sweeper.sweep(Date.now());
  await jsonOf(await enrolment.post('verify', new SoftKey(server.origin).create(creation)));
  await jsonOf(await page.post('verify', key.get(options)));
  await jsonOf(await client.api('GET', '/api/session', access_token));

  elapsed += 48 * hour;
  await sweeper.sweep(Date.now() + 48 * hour);
  for (const table of ['challenges', 'dpop_proofs', 'oidc_payloads', 'enrolments'] as const) {
    expect([table, await store.selectFrom(table).selectAll().execute()]).toEqual([table, []]);
  }
  for (const table of ['people', 'keys', 'sessions', 'audit', 'signing_keys'] as const) {
    expect((await store.selectFrom(table).selectAll().execute()).length, table).toBeGreaterThan(0);
  }
});
