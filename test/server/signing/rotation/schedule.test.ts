import { expect, test } from 'vitest';
import { newRow } from '../../../../server/signing/key-rows.ts';
import { PREVIOUS_MS, PUBLISH_MS, REFRESH_MS } from '../../../../server/signing/lifetimes.ts';
import { rotateSoon } from '../../../../server/signing/rotation/rotate-soon.ts';
import { bringForward, publishNext } from '../../../../server/signing/rotation/transitions.ts';
import { unsealJwk } from '../../../../server/signing/sealed-jwk.ts';
import type { Store } from '../../../../server/store/store.ts';
import { newDatabaseUrl } from '../../engines.ts';
import { TestClocks } from '../clocks.ts';
import { MASTER } from '../master.ts';
import { type Instance, kidsOf, pass, START, startInstance, statesOf } from './instance.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const BY = { actor: 'cli:root' };

/** As `vouch-server signing-keys rotate` does. */
async function rotate({ store, keys, clocks }: Instance): Promise<string> {
  await keys.refresh();
  const now = clocks.now();
  const [current] = keys.keys;
  if (current === undefined) throw new Error('no key');
  const next = await keys.makeKey();
  await store
    .transaction()
    .execute((transaction) => publishNext(transaction, { current, next, signsFrom: now + PUBLISH_MS }, now, BY));
  return next.kid;
}

const eventsOf = (store: Store) =>
  store.selectFrom('audit').select(['event', 'actor', 'detail']).orderBy('id').execute();

test('a key is published a day before it signs, and its predecessor until all that it signed is over', async () => {
  const one = await startInstance(await newDatabaseUrl(), { days: 90 });
  const first = one.keys.current().kid;
  await pass(89 * DAY - MINUTE, [one], HOUR);
  expect(statesOf(one)).toEqual(['current']);
  await pass(2 * MINUTE, [one]);
  expect(statesOf(one)).toEqual(['current', 'next']);
  const [, second = ''] = kidsOf(one);
  await pass(DAY - 2 * MINUTE, [one], 10 * MINUTE);
  expect(one.keys.current().kid).toBe(first);
  await pass(2 * MINUTE, [one]);
  expect(one.keys.current().kid).toBe(second);
  expect(kidsOf(one)).toEqual([second, first]);
  await pass(PREVIOUS_MS - 2 * MINUTE, [one], 10 * MINUTE);
  expect(statesOf(one)).toEqual(['current', 'previous']);
  await pass(2 * MINUTE, [one]);
  expect(kidsOf(one)).toEqual([second]);

  expect((await eventsOf(one.store)).map(({ detail, ...row }) => ({ ...row, ...JSON.parse(detail) }))).toEqual([
    {
      event: 'signing-key-published',
      actor: 'server',
      kid: second,
      source: 'database',
      signsFrom: START + 90 * DAY,
    },
    { event: 'signing-key-current', actor: 'server', kid: second, before: first },
    { event: 'signing-key-retired', actor: 'server', kid: first },
  ]);
});

test('the private half of a key that signs no more is deleted, and its public half still opens', async () => {
  const url = await newDatabaseUrl();
  const one = await startInstance(url);
  const { publicJwk } = one.keys.current();
  await rotate(one);
  await pass(PUBLISH_MS + MINUTE, [one]);
  expect(statesOf(one)).toEqual(['current', 'previous']);
  const { jwe } = await one.store
    .selectFrom('signing_keys')
    .select('jwe')
    .where('state', '=', 'previous')
    .executeTakeFirstOrThrow();
  expect(await unsealJwk(publicJwk.kid ?? '', jwe, MASTER)).toEqual(publicJwk);
  const restarted = await startInstance(url, { clocks: one.clocks });
  expect(kidsOf(restarted)).toEqual(kidsOf(one));
});

test('without a schedule nothing rotates by itself, and a rotation that was asked for still does', async () => {
  const one = await startInstance(await newDatabaseUrl());
  await pass(1_000 * DAY, [one], DAY);
  expect(statesOf(one)).toEqual(['current']);
  const next = await rotate(one);
  await pass(PUBLISH_MS + MINUTE, [one]);
  expect(one.keys.current().kid).toBe(next);
});

test('a next key that is not known everywhere waits, and the old one goes on signing', async () => {
  let known = false;
  const asked = new Set<string>();
  const maySign = async (kid: string) => {
    asked.add(kid);
    return known;
  };
  const one = await startInstance(await newDatabaseUrl(), { maySign });
  const first = one.keys.current().kid;
  const next = await rotate(one);
  await pass(DAY, [one], 10 * MINUTE);
  expect([one.keys.current().kid, kidsOf(one), [...asked]]).toEqual([first, [first, next], [next]]);
  known = true;
  await pass(MINUTE, [one]);
  expect(one.keys.current().kid).toBe(next);
});

test('of instances that act at the same moment one does, and all have the same keys', async () => {
  const url = await newDatabaseUrl();
  const all: Instance[] = [];
  for (let count = 0; count < 4; count += 1) all.push(await startInstance(url, { days: 1 }));
  expect(new Set(all.map(({ keys }) => keys.current().kid)).size).toBe(1);
  for (let day = 0; day < 4; day += 1) {
    await pass(DAY, all, 10 * MINUTE);
    await Promise.all(all.map(({ keys }) => keys.refresh()));
    expect(new Set(all.map((each) => JSON.stringify(kidsOf(each)))).size).toBe(1);
    const states = await all[0]?.store.selectFrom('signing_keys').select('state').execute();
    expect(states?.filter(({ state }) => state === 'current')).toHaveLength(1);
    expect(states?.filter(({ state }) => state === 'next').length).toBeLessThanOrEqual(1);
  }
  const events = (await eventsOf(all[0]?.store as Store)).map(({ event }) => event);
  expect(events.filter((event) => event === 'signing-key-published').length).toBeGreaterThanOrEqual(3);
  const moved = events.filter((event) => event === 'signing-key-current').length;
  expect(moved).toBeGreaterThanOrEqual(3);
  const rows = await all[0]?.store.selectFrom('signing_keys').select('current_at').execute();
  expect(rows?.filter(({ current_at }) => current_at !== null)).toHaveLength(moved + 1);
});

test('an instance lets a key sign only after it has published it itself for long enough, whatever its clock says', async () => {
  const url = await newDatabaseUrl();
  const one = await startInstance(url);
  await pass(HOUR, [one], MINUTE);
  await rotate(one);
  const late = new TestClocks(START + 30 * DAY);
  const other = await startInstance(url, { clocks: late });
  await pass(PUBLISH_MS - REFRESH_MS, [other]);
  expect(statesOf(other)).toEqual(['current', 'next']);
  await pass(2 * REFRESH_MS, [other]);
  expect(statesOf(other)).toEqual(['current', 'previous']);
});

test.each([
  ['a year ahead', 365 * DAY],
  ['a year behind', -365 * DAY],
])('a clock that is %s for some minutes rotates and retires nothing', async (_, ahead) => {
  const url = await newDatabaseUrl();
  const one = await startInstance(url, { days: 90 });
  await rotate(one);
  await pass(PUBLISH_MS + HOUR + MINUTE, [one]);
  expect(statesOf(one)).toEqual(['current', 'previous']);
  const before = kidsOf(one);
  one.clocks.ahead = ahead;
  await pass(5 * MINUTE, [one]);
  expect(kidsOf(one)).toEqual(before);
  one.clocks.ahead = 0;
  await pass(5 * MINUTE, [one]);
  expect(kidsOf(one)).toEqual(before);
  // And the other way round: it was wrong before, and is right now.
  await pass(PREVIOUS_MS + HOUR, [one], 10 * MINUTE);
  expect(statesOf(one)).toEqual(['current']);
});

test('a clock that was a year ahead when it published a key holds up no rotation, and no administrator', async () => {
  const url = await newDatabaseUrl();
  const one = await startInstance(url, { days: 90 });
  one.clocks.ahead = 365 * DAY;
  await pass(PUBLISH_MS + MINUTE, [one]);
  expect(statesOf(one)).toEqual(['current', 'next']);
  one.clocks.ahead = 0;
  await one.keys.refresh();
  const next = kidsOf(one)[1];
  const { signsFrom } = await rotateSoon(one.store, one.keys, one.clocks.now(), BY);
  expect(signsFrom).toBe(one.clocks.now() + PUBLISH_MS);

  await one.store
    .updateTable('signing_keys')
    .set({ signs_from: START + 365 * DAY })
    .where('state', '=', 'next')
    .execute();
  await pass(DAY, [one], 10 * MINUTE);
  expect(statesOf(one)).toEqual(['current', 'next']);
  await pass(HOUR, [one], 10 * MINUTE);
  expect(one.keys.current().kid).toBe(next);
});

test('nobody can publish any number of keys', async () => {
  const one = await startInstance(await newDatabaseUrl());
  const now = START;
  while (one.keys.keys.length < 20) {
    const row = { ...newRow(await one.keys.makeKey(), 'next', now), state: 'previous' as const, previous_at: now };
    await one.store.insertInto('signing_keys').values(row).execute();
    await one.keys.refresh();
  }
  await expect(rotateSoon(one.store, one.keys, now, BY)).rejects.toThrow(/20 keys are published/);
  await pass(PREVIOUS_MS + MINUTE, [one], 10 * MINUTE);
  expect(await rotateSoon(one.store, one.keys, one.clocks.now(), BY)).toMatchObject({ made: true });
});

test('a next key can be brought forward, and is then published for long enough all the same', async () => {
  const one = await startInstance(await newDatabaseUrl(), { days: 90 });
  await pass(89 * DAY + MINUTE, [one], HOUR);
  const [, next = ''] = kidsOf(one);
  await pass(PUBLISH_MS, [one]);
  expect(one.keys.current().kid).not.toBe(next);
  const now = one.clocks.now();
  const done = await one.store
    .transaction()
    .execute((transaction) => bringForward(transaction, { kid: next, signsFrom: now }, now, BY));
  expect(done).toBe(true);
  await pass(2 * REFRESH_MS, [one]);
  expect(one.keys.current().kid).toBe(next);
});

test('an instance that has another master key than the current key was sealed with changes nothing', async () => {
  const one = await startInstance(await newDatabaseUrl(), { days: 1 });
  // As after `master-key rewrap`: this instance was not restarted.
  await one.store.updateTable('signing_keys').set({ jwe: 'sealed under another master key' }).execute();
  await pass(3 * DAY, [one], HOUR);
  expect(statesOf(one)).toEqual(['current']);
  expect(await eventsOf(one.store)).toEqual([]);
});

test('an outage of the database ends by itself', async () => {
  const one = await startInstance(await newDatabaseUrl(), { days: 1 });
  const { refresh } = one.keys;
  one.keys.refresh = () => Promise.reject(new Error('away'));
  await pass(10 * MINUTE, [one]);
  expect(() => one.keys.current()).toThrow(/too long ago/);
  one.keys.refresh = refresh;
  await pass(REFRESH_MS, [one]);
  expect(one.keys.current().kid).toBeDefined();
});
