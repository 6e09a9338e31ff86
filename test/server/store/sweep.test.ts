import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
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

test('sweeping deletes very many rows a few at a time, and lets other work go on in between', async () => {
  const database = new DatabaseSync(server.databaseFile);
  onTestFinished(() => database.close());
  const tables = {
    challenges: "(challenge_hash, purpose, binding, expires_at) values (?, 'sign-in', '', 1)",
    dpop_proofs: '(proof_hash, expires_at) values (?, 1)',
    oidc_payloads: "(id_hash, model, payload, expires_at) values (?, 'Interaction', '{}', 1)",
  };
  const replays =
    "insert into oidc_payloads (id_hash, model, payload, expires_at) values (?, 'ReplayDetection', '{}', 1)";
  database.exec('BEGIN');
  for (const insert of [...Object.entries(tables).map(([table, rest]) => `insert into ${table} ${rest}`), replays]) {
    const statement = database.prepare(insert);
    for (let index = 0; index < 3_500; index += 1) statement.run(`${index} of ${insert.length}`);
  }
  database.exec('COMMIT');
  const count = database.prepare(
    Object.keys(tables)
      .map((table) => `select count(*) as count from ${table} where expires_at = 1`)
      .join(' union all '),
  );
  const left = () => count.all().reduce((sum, row) => sum + Number(row.count), 0);

  let elapsed = 0;
  const sweeper = sweeperFor(server.context, () => elapsed);
  const hour = 3600_000;
  const seen = [left()];
  for (const now of [Date.now(), Date.now() + hour]) {
    let done = false;
    const sweeping = sweeper.sweep(now).finally(() => {
      done = true;
    });
    // A second sweep does not get in its way.
    await sweeper.sweep(now);
    expect(done).toBe(false);
    while (!done) {
      await setImmediate();
      seen.push(left());
    }
    await sweeping;
    elapsed += hour;
  }
  expect([seen[0], seen.at(-1)]).toEqual([4 * 3_500, 0]);
  const taken = seen.slice(1).map((rest, index) => (seen[index] ?? 0) - rest);
  // One step, and the next one if it has begun meanwhile.
  expect(Math.max(...taken)).toBeLessThanOrEqual(2_000);
});
