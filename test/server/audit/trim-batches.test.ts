import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { trimAudit } from '../../../server/audit/retention.ts';
import { verifyTrail } from '../../../server/audit/verify.ts';
import { readSnapshot } from '../../../server/store/snapshot.ts';
import { openContext } from '../feature-context.ts';
import { addAudit } from '../rows.ts';

const DAY = 24 * 3600_000;
const NOW = 20_000 * DAY;

test('very many rows go some thousands at a time, and other work goes on in between', async () => {
  const opened = await openContext();
  onTestFinished(() => opened.close());
  const { store, keys, config } = opened.context;
  const trim = (now: number) => trimAudit(store, { issuer: config.issuer, signingKey: keys.current() }, 400, now);
  const old = Array.from({ length: 5_000 }, () => ({ event: 'signed-in' as const, actor: 'a' }));
  await addAudit(store, 1, ...old);
  await addAudit(store, NOW, { event: 'signed-in', actor: 'a' });
  const observer = new DatabaseSync(config.database.name);
  onTestFinished(() => observer.close());
  const count = observer.prepare('select count(*) as count from audit where at = 1');
  const left = () => Number(count.get()?.count);
  const seen = [left()];
  let turns = 0;
  let done = false;
  const trimming = trim(NOW).finally(() => {
    done = true;
  });
  while (!done) {
    await setImmediate();
    turns += 1;
    seen.push(left());
  }
  await trimming;
  expect([seen[0], seen.at(-1)]).toEqual([5_000, 1_000]);
  const taken = seen.slice(1).map((rest, index) => (seen[index] ?? 0) - rest);
  expect(Math.max(...taken)).toBe(2_000);
  // At least one for each statement that deletes.
  expect(turns).toBeGreaterThanOrEqual(20);
  const told = (
    await store.selectFrom('audit').where('event', '=', 'audit-trimmed').orderBy('id').select('detail').execute()
  ).map(({ detail }) => JSON.parse(detail));
  expect(told).toMatchObject([
    { fromId: 1, toId: 2_000 },
    { fromId: 2_001, toId: 4_000 },
  ]);
  // The rest is not many: it waits for the next day.
  await trim(NOW + DAY);
  expect(left()).toBe(0);
  expect((await readSnapshot(store, verifyTrail)).fault).toBeUndefined();
});
