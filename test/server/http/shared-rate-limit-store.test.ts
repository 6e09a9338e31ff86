import { beforeEach, expect, test } from 'vitest';
import { SharedRateLimitStore } from '../../../server/http/shared-rate-limit-store.ts';
import type { Store } from '../../../server/store/store.ts';
import { newStore } from '../engines.ts';

const LIMIT = 60;

let store: Store;
let now: number;
beforeEach(async () => {
  now = 1_000_000;
  store = await newStore();
});

/** An instance's own counts. */
function instance(name = 'limit', limit = LIMIT) {
  const counts = new SharedRateLimitStore(store, name, limit, () => now);
  counts.init({ windowMs: 60_000 });
  return counts;
}

/** How many of so many requests of one client a limit lets through, sent to these instances in turn. */
async function passed(requests: number, instances: SharedRateLimitStore[], client = 'client'): Promise<number> {
  let count = 0;
  for (let index = 0; index < requests; index += 1) {
    const { totalHits } = (await instances[index % instances.length]?.increment(client)) ?? { totalHits: 0 };
    if (totalHits <= LIMIT) count += 1;
  }
  return count;
}

const rows = () => store.selectFrom('rate_limits').selectAll().orderBy('client').execute();

test('two instances let through as many as one', async () => {
  expect(await passed(200, [instance(), instance()])).toBe(LIMIT);
});

test('50 requests at the same moment to each of two instances, too', async () => {
  const both = [instance(), instance()];
  const answers = await Promise.all(
    both.flatMap((one) => Array.from({ length: 50 }, async () => one.increment('client'))),
  );
  expect(answers.filter(({ totalHits }) => totalHits <= LIMIT)).toHaveLength(LIMIT);
});

test('an instance counts a twentieth of a large limit alone, and then adds it to what others have counted', async () => {
  const [first, second] = [instance('large', 240), instance('large', 240)];
  await passed(10, [first]);
  expect(await rows()).toEqual([]);
  await passed(1, [first]);
  expect(await rows()).toEqual([{ client: 'large client', hits: 11, ends_at: now + 60_000 }]);
  await passed(20, [second]);
  expect(await rows()).toMatchObject([{ hits: 31 }]);
});

test('clients and limits are counted apart', async () => {
  expect(await passed(100, [instance()])).toBe(LIMIT);
  expect(await passed(10, [instance()], 'another')).toBe(10);
  expect(await passed(10, [instance('other')])).toBe(10);
});

test('a client beyond the limit costs the database nothing more', async () => {
  const both = [instance(), instance()];
  await passed(LIMIT + 2, both);
  await store.updateTable('rate_limits').set({ hits: 0 }).execute();
  for (const one of both) expect((await one.increment('client')).totalHits).toBeGreaterThan(LIMIT);
  expect(await rows()).toMatchObject([{ hits: 0 }]);
});

test('the count starts again when its minute is over, also if a clock was ahead', async () => {
  await passed(LIMIT, [instance()]);
  expect(await passed(10, [instance()])).toBe(0);
  now += 60_000;
  expect(await passed(10, [instance()])).toBe(10);
  await store
    .updateTable('rate_limits')
    .set({ hits: 99, ends_at: now + 365 * 86_400_000 })
    .execute();
  expect(await passed(10, [instance()])).toBe(10);
});

test('clocks of instances may differ by seconds', async () => {
  const both = [instance(), instance()];
  for (let index = 0; index < LIMIT; index += 1) {
    now += index % 2 === 0 ? 5_000 : -5_000;
    await both[index % 2]?.increment('client');
  }
  expect(await rows()).toMatchObject([{ hits: LIMIT }]);
});
