import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { sweeperFor } from '../../../server/serve.ts';
import { startServer } from '../support.ts';

test('sweeping deletes very many rows a few at a time, and lets other work go on in between', async () => {
  const server = await startServer();
  onTestFinished(server.close);
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
