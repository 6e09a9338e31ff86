import { beforeEach, expect, test } from 'vitest';
import { countRefusal } from '../../../server/audit/refusals.ts';
import { verifyTrail } from '../../../server/audit/verify.ts';
import { closeWindows, openWindows } from '../../../server/audit/windows.ts';
import { KINDS, type Kind } from '../../../server/problem/kinds.ts';
import { readSnapshot } from '../../../server/store/snapshot.ts';
import type { Store } from '../../../server/store/store.ts';
import { newDatabaseUrl, openStore } from '../engines.ts';
import { keyRow, personRow } from '../rows.ts';

const HOUR = 3600_000;
const BEGIN = 500_000 * HOUR;

let url: string;
let store: Store;
beforeEach(async () => {
  url = await newDatabaseUrl();
  store = await openStore(url);
});

const refuse = (now: number, more: { email?: string; keyId?: string; problem?: Kind; ip?: string } = {}, to = store) =>
  countRefusal(to, now, {
    event: 'sign-in-refused',
    problem: more.problem ?? 'unknown-key',
    email: more.email ?? null,
    keyId: more.keyId ?? null,
    from: { ip: more.ip ?? '192.0.2.1', requestId: 'r' },
  });

const rows = () => store.selectFrom('audit').selectAll().orderBy('id').execute();

/** How many refusals windows and rows tell of. */
async function told(): Promise<number> {
  const inRows = (await rows()).map(({ detail }) => Number(JSON.parse(detail).count));
  const inWindows = (await openWindows(store)).map(({ count }) => Number(count));
  return [...inRows, ...inWindows].reduce((sum, count) => sum + count, 0);
}

test('a window whose hour is over becomes one row, and the present one stays open', async () => {
  await store.insertInto('people').values(personRow('alice', 'alice@example.com')).execute();
  await store.insertInto('keys').values(keyRow('key', 'alice')).execute();
  await refuse(BEGIN + 1);
  await refuse(BEGIN + 3, { ip: '192.0.2.3' });
  await refuse(BEGIN + 2, { keyId: 'key', problem: 'counter-went-back' });
  await refuse(BEGIN + HOUR);
  await closeWindows(store, BEGIN + HOUR + 7);
  const common = { at: BEGIN + HOUR + 7, event: 'sign-in-refused', result: 'refused', actor: 'unknown' };
  expect(await rows()).toEqual([
    expect.objectContaining({
      ...common,
      reason: 'counter-went-back',
      subject: 'alice@example.com',
      key_id: 'key',
      ip: '192.0.2.1',
      detail: JSON.stringify({ count: 1, since: BEGIN, lastAt: BEGIN + 2 }),
    }),
    expect.objectContaining({
      ...common,
      reason: 'unknown-key',
      subject: null,
      key_id: null,
      ip: '192.0.2.3',
      detail: JSON.stringify({ count: 2, since: BEGIN, lastAt: BEGIN + 3 }),
    }),
  ]);
  expect((await openWindows(store)).map(({ began_at, count }) => [began_at, count])).toEqual([[BEGIN + HOUR, 1]]);
  await closeWindows(store, BEGIN + HOUR + 8);
  expect(await rows()).toHaveLength(2);
  expect((await readSnapshot(store, verifyTrail)).fault).toBeUndefined();
});

test('a refusal that comes late for its hour, or from a clock that is ahead, is told too', async () => {
  await refuse(BEGIN + HOUR - 1);
  await closeWindows(store, BEGIN + HOUR);
  await refuse(BEGIN + HOUR - 1);
  await refuse(BEGIN + 9000 * HOUR);
  await closeWindows(store, BEGIN + HOUR);
  expect((await rows()).map(({ detail }) => JSON.parse(detail).count)).toEqual([1, 1, 1]);
  expect(await openWindows(store)).toEqual([]);
});

test('while windows close, each refusal is told once', async () => {
  const other = await openStore(url);
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const now = BEGIN + index * (HOUR / 20);
      await refuse(now, {}, index % 2 === 0 ? store : other);
      if (index % 5 === 0) await closeWindows(index % 2 === 0 ? other : store, now);
    }),
  );
  expect(await told()).toBe(200);
  await closeWindows(store, BEGIN + 100 * HOUR);
  expect(await openWindows(store)).toEqual([]);
  expect(await told()).toBe(200);
  expect((await readSnapshot(store, verifyTrail)).fault).toBeUndefined();
});

test('an hour has at most a thousand windows with names, and further refusals are still counted', async () => {
  for (let index = 0; index < 1_000; index += 1) await refuse(BEGIN, { email: `person${index}@example.com` });
  await refuse(BEGIN, { email: 'person7@example.com' });
  await refuse(BEGIN, { email: 'late@example.com' });
  await refuse(BEGIN, { email: 'later@example.com' });
  const open = await openWindows(store);
  expect(open).toHaveLength(1_001);
  expect(open.find(({ email }) => email === 'person7@example.com')?.count).toBe(2);
  expect(open.filter(({ email }) => email === '')).toMatchObject([{ count: 2, problem: 'unknown-key' }]);
  // Without names there are only as many as there are problems.
  for (const problem of Object.keys(KINDS) as Kind[]) {
    for (let index = 0; index < 3; index += 1) await refuse(BEGIN, { email: `other${index}@example.com`, problem });
  }
  expect(await openWindows(store)).toHaveLength(1_000 + Object.keys(KINDS).length);
  // The next hour has room again.
  await refuse(BEGIN + HOUR, { email: 'late@example.com' });
  expect((await openWindows(store)).at(-1)).toMatchObject({ email: 'late@example.com', count: 1 });
  await closeWindows(store, BEGIN + HOUR);
  expect(await told()).toBe(1_003 + 3 * Object.keys(KINDS).length + 1);
});
