import { createLocalJWKSet, jwtVerify } from 'jose';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { readSigningKey } from '../../../../server/config/signing-key.ts';
import { KeyPlace } from '../../../../server/signing/key-place.ts';
import { JWKS_MAX_AGE_S, PREVIOUS_MS, PUBLISH_MS } from '../../../../server/signing/lifetimes.ts';
import { findKmsKey } from '../../../../server/signing/rotation/find-kms-key.ts';
import { bringForward, publishNext } from '../../../../server/signing/rotation/transitions.ts';
import { signJwt } from '../../../../server/signing/sign-jwt.ts';
import type { KmsKey } from '../../../aws/kms/key.ts';
import { type LocalKms, startLocalKms } from '../../../aws/kms/start.ts';
import { newDatabaseUrl } from '../../engines.ts';
import { useLocalKms } from '../../kms/use-local-kms.ts';
import { TestClocks } from '../clocks.ts';
import { type Instance, kidsOf, pass, START, startInstance, statesOf } from './instance.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const BY = { actor: 'cli:root' };

let kms: LocalKms;
beforeAll(async () => {
  kms = await startLocalKms();
  useLocalKms(kms);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await kms.close();
});
beforeEach(() => {
  kms.fault = undefined;
});

/** Starts an instance whose VOUCH_SIGNING_KEY names a key in KMS, or none. */
async function start(url: string, key?: Pick<KmsKey, 'arn'>, clocks = new TestClocks(START)): Promise<Instance> {
  const place = new KeyPlace(readSigningKey(key && `awskms:${key.arn}`));
  onTestFinished(() => place.close());
  const instance = await startInstance(url, { clocks, place });
  if (key !== undefined) await findKmsKey({ ...instance, log: pino({ level: 'silent' }) }, clocks.now());
  return instance;
}

/** Publishes the key that the instance's setting names, to sign as soon as may be: as `vouch-server signing-keys rotate` does. */
async function rotate({ store, keys, clocks }: Instance): Promise<string> {
  await keys.refresh();
  const [current, next] = keys.keys;
  if (current === undefined) throw new Error('no key');
  const signsFrom = clocks.now() + PUBLISH_MS;
  const sooner = next?.state === 'next' ? next : undefined;
  const key = sooner ?? (await keys.makeKey());
  await store.transaction().execute(async (transaction) => {
    if (sooner === undefined) {
      expect(await publishNext(transaction, { current, next: key, signsFrom }, clocks.now(), BY)).toBe(true);
    } else await bringForward(transaction, { kid: key.kid, signsFrom }, clocks.now(), BY);
  });
  return key.kid;
}

const rowOf = ({ store }: Instance, kid: string) =>
  store.selectFrom('signing_keys').selectAll().where('kid', '=', kid).executeTakeFirstOrThrow();

test('from the database to KMS, to another key there and back to the database, no verifier meets an unknown key', async () => {
  const url = await newDatabaseUrl();
  const [first, second] = [kms.createKey(), kms.createKey()];
  const clocks = new TestClocks(START);
  const signed = new Set<string>();
  let cache = { set: createLocalJWKSet({ keys: [] }), until: 0 };
  /** Lets the keys move on, and checks meanwhile what every instance signs against a cache that is as old as it may be. */
  const move = async (instances: Instance[]) => {
    for (let gone = 0; gone < PUBLISH_MS + MINUTE; gone += 15_000) {
      await pass(15_000, [instances[0] as Instance]);
      for (const { schedule } of instances) await schedule.run();
      for (const { keys } of instances) {
        const token = await signJwt(keys.current(), { sub: 'alice' });
        if (clocks.elapsed() >= cache.until) {
          // From whichever instance: here, the one that has looked first.
          const published = [...(instances[0]?.keys.published() ?? [])];
          cache = { set: createLocalJWKSet({ keys: published }), until: clocks.elapsed() + JWKS_MAX_AGE_S * 1000 };
        }
        const { protectedHeader } = await jwtVerify(token, cache.set);
        signed.add(String(protectedHeader.kid));
      }
    }
  };
  const old = await start(url, undefined, clocks);
  const database = old.keys.current().kid;
  await old.schedule.run();
  const one = await start(url, first, clocks);
  const inKms = await rotate(one);
  // An instance with the setting from before follows: it signs with KMS too.
  await move([one, old]);
  expect(old.keys.current().kid).toBe(inKms);
  const two = await start(url, second, clocks);
  const inKmsToo = await rotate(two);
  await move([two, one]);
  const back = await start(url, undefined, clocks);
  const last = await rotate(back);
  await move([back, two]);
  expect([...signed]).toEqual([database, inKms, inKmsToo, last]);
  expect(new Set(signed).size).toBe(4);
  expect(statesOf(back)).toEqual(['current', 'previous', 'previous', 'previous']);
  expect((await rowOf(back, inKms)).source).toBe(`awskms:${first.arn}`);
});

test('an instance with an older setting follows, and undoes nothing; one that starts with it later moves keys back', async () => {
  const url = await newDatabaseUrl();
  const clocks = new TestClocks(START);
  const old = await start(url, undefined, clocks);
  await pass(10 * MINUTE, [old]);
  const one = await start(url, kms.createKey(), clocks);
  const inKms = await rotate(one);
  await pass(PUBLISH_MS + MINUTE, [one]);
  await pass(3 * HOUR, [old], MINUTE);
  expect(kidsOf(old)[0]).toBe(inKms);
  expect(statesOf(old)).toEqual(['current', 'previous']);
  const late = await start(url, undefined, clocks);
  await pass(10 * MINUTE, [late]);
  expect(statesOf(late)).toEqual(['current', 'next', 'previous']);
});

test('the key in KMS that the setting names is published by itself, and signs a day later', async () => {
  const url = await newDatabaseUrl();
  const clocks = new TestClocks(START);
  await start(url, undefined, clocks);
  const one = await start(url, kms.createKey(), clocks);
  await pass(10 * MINUTE, [one]);
  expect(statesOf(one)).toEqual(['current', 'next']);
  await pass(DAY + 10 * MINUTE, [one], 5 * MINUTE);
  expect(one.keys.keys.map(({ state, source }) => [state, source.split(':')[0]])).toEqual([
    ['current', 'awskms'],
    ['previous', 'database'],
  ]);
});

test('the schedule makes no key while one in KMS signs', async () => {
  const one = await startInstance(await newDatabaseUrl(), {
    days: 1,
    place: new KeyPlace(readSigningKey(`awskms:${kms.createKey().arn}`)),
  });
  await pass(3 * 24 * 60 * MINUTE, [one], 10 * MINUTE);
  expect(statesOf(one)).toEqual(['current']);
});

test('a replica in another region is the same key, and signs from the next look on', async () => {
  const url = await newDatabaseUrl();
  const key = kms.createKey({ multiRegion: true });
  const one = await start(url, key);
  const { kid } = one.keys.current();
  const replica = kms.replicate(key, 'eu-west-1');
  const two = await start(url, replica);
  expect(two.keys.current().kid).toBe(kid);
  expect((await rowOf(two, kid)).source).toBe(`awskms:${replica.arn}`);
  await one.keys.refresh();
  for (const { keys } of [one, two]) {
    await signJwt(keys.current(), {});
    expect(kms.log.at(-1)).toMatchObject({ operation: 'Sign', region: 'eu-west-1', outcome: 'OK' });
  }
  expect(statesOf(two)).toEqual(['current']);
});

test.each([
  ['previous', 0],
  ['gone', PREVIOUS_MS + 2 * 60 * MINUTE],
] as const)('a key in KMS that is %s comes back as the next one', async (state, later) => {
  const url = await newDatabaseUrl();
  const [first, second] = [kms.createKey(), kms.createKey()];
  const clocks = new TestClocks(START);
  const one = await start(url, first, clocks);
  const { kid } = one.keys.current();
  const two = await start(url, second, clocks);
  const other = await rotate(two);
  await pass(PUBLISH_MS + MINUTE, [two, one].slice(0, 1));
  await pass(later, [two], 10 * MINUTE);
  await one.keys.refresh();
  expect((await rowOf(two, kid)).state).toBe(state);
  const back = await start(url, first, clocks);
  expect(await rowOf(back, kid)).toMatchObject({ state: 'next', previous_at: null, gone_at: null });
  await one.keys.refresh();
  expect(kidsOf(one)).toEqual([other, kid]);
  await rotate(back);
  await pass(PUBLISH_MS + MINUTE, [back]);
  await one.keys.refresh();
  for (const { keys } of [back, one]) {
    expect(keys.current().kid).toBe(kid);
    await signJwt(keys.current(), {});
  }
});

test('a revoked key does not come back, but servers that still have it in their settings start', async () => {
  const url = await newDatabaseUrl();
  const key = kms.createKey();
  const one = await start(url, key);
  const { kid } = one.keys.current();
  const two = await start(url);
  await rotate(two);
  await pass(PUBLISH_MS + MINUTE, [two]);
  await two.store.updateTable('signing_keys').set({ revoked_at: START }).where('kid', '=', kid).execute();
  const three = await start(url, key);
  await signJwt(three.keys.current(), {});
  expect((await rowOf(three, kid)).state).toBe('previous');
  const disabled = kms.createKey();
  disabled.state = 'Disabled';
  await expect(start(url, disabled)).rejects.toMatchObject({ kind: 'kms-refused' });
});

test('while KMS does not answer, a server starts with the keys that it knows', async () => {
  const url = await newDatabaseUrl();
  const { kid } = (await start(url)).keys.current();
  kms.fault = { kind: 'refuse' };
  const started = await start(url, kms.createKey());
  expect(started.keys.current().kid).toBe(kid);
  await signJwt(started.keys.current(), {});
});
