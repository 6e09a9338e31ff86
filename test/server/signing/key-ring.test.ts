import { inspect } from 'node:util';
import { calculateJwkThumbprint, compactDecrypt, importJWK, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { deriveKey } from '../../../server/secrets.ts';
import { DatabaseKeyRing } from '../../../server/signing/key-ring.ts';
import { hasSigningKey, makeKey, newRow } from '../../../server/signing/key-rows.ts';
import { FRESH_MS } from '../../../server/signing/lifetimes.ts';
import { signJwt } from '../../../server/signing/sign-jwt.ts';
import type { Store } from '../../../server/store/store.ts';
import { StoreUnavailable } from '../../../server/store/unavailable.ts';
import { newStore } from '../engines.ts';
import { privateJwk } from '../private-key.ts';
import { TestClocks } from './clocks.ts';
import { MASTER } from './master.ts';

const open = (store: Store, master = MASTER, clocks = new TestClocks(1_000)) =>
  DatabaseKeyRing.open(store, master, clocks);

test('the signing key is made once, and is the same ever after', async () => {
  const store = await newStore();
  expect(await hasSigningKey(store)).toBe(false);
  const first = (await open(store)).current();
  expect(await hasSigningKey(store)).toBe(true);
  const second = (await open(store)).current();
  expect(second.publicJwk).toEqual(first.publicJwk);
  const rows = await store.selectFrom('signing_keys').selectAll().execute();
  expect(rows).toMatchObject([{ kid: first.kid, state: 'current', created_at: 1_000 }]);
});

test('its public half says what it is for, verifies what the private one signs, and holds nothing secret', async () => {
  const store = await newStore();
  const key = (await open(store)).current();
  const { kid, publicJwk } = key;
  expect(publicJwk).toEqual({
    kty: 'EC',
    crv: 'P-256',
    x: expect.any(String),
    y: expect.any(String),
    alg: 'ES256',
    use: 'sig',
    kid,
  });
  expect(kid).toBe(await calculateJwkThumbprint(publicJwk));
  const secret = await privateJwk(store, MASTER);
  expect(secret).toEqual({ ...publicJwk, d: expect.any(String) });
  const { payload } = await jwtVerify(await signJwt(key, { sub: 'alice' }), await importJWK(publicJwk, 'ES256'));
  expect(payload.sub).toBe('alice');
  expect(inspect(key, { depth: 9, showHidden: true })).not.toContain(secret.d);
});

test('it is stored as a JWE that names it, under a key derived for this purpose', async () => {
  const store = await newStore();
  const { kid, publicJwk } = (await open(store)).current();
  const { jwe } = await store.selectFrom('signing_keys').select('jwe').executeTakeFirstOrThrow();
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, deriveKey(MASTER, 'signing keys'));
  expect(protectedHeader).toEqual({ alg: 'dir', enc: 'A256GCM', kid });
  expect(JSON.parse(Buffer.from(plaintext).toString())).toEqual({ ...publicJwk, d: expect.any(String) });
  await expect(compactDecrypt(jwe, MASTER)).rejects.toThrow();
});

test('it is not opened with another master key, and not replaced', async () => {
  const store = await newStore();
  const { kid } = (await open(store)).current();
  const other = open(store, Buffer.from(MASTER).reverse());
  await expect(other).rejects.toThrow(/VOUCH_MASTER_KEY is not the one it was made with/);
  expect((await open(store)).current().kid).toBe(kid);
});

test('servers that start together all have the same one', async () => {
  const store = await newStore();
  const keys = await Promise.all(Array.from({ length: 5 }, () => open(store)));
  expect(new Set(keys.map((ring) => ring.current().kid)).size).toBe(1);
});

test('a ring publishes the current key first, then the next one and the previous ones, and sees each change', async () => {
  const store = await newStore();
  const ring = await open(store);
  const first = ring.current();
  const published = ring.published();
  expect(published).toEqual([first.publicJwk]);
  expect(await ring.refresh()).toBe(false);
  expect(ring.published()).toBe(published);

  const next = await makeKey(MASTER);
  await store
    .insertInto('signing_keys')
    .values(newRow(next, 'next', 2_000))
    .execute();
  expect(await ring.refresh()).toBe(true);
  expect(ring.published().map(({ kid }) => kid)).toEqual([first.kid, next.kid]);
  expect(ring.current()).toBe(first);

  await store.updateTable('signing_keys').set({ state: 'previous' }).where('kid', '=', first.kid).execute();
  await store.updateTable('signing_keys').set({ state: 'current' }).where('kid', '=', next.kid).execute();
  expect(await ring.refresh()).toBe(true);
  expect(ring.published().map(({ kid }) => kid)).toEqual([next.kid, first.kid]);
  const { protectedHeader } = await jwtVerify(
    await signJwt(ring.current(), {}),
    await importJWK(ring.published()[0] ?? {}, 'ES256'),
  );
  expect(protectedHeader.kid).toBe(next.kid);

  await store.updateTable('signing_keys').set({ state: 'gone' }).where('kid', '=', first.kid).execute();
  await ring.refresh();
  expect(ring.published().map(({ kid }) => kid)).toEqual([next.kid]);
});

test.each([
  ['monotonic clock', (clocks: TestClocks, by: number) => clocks.pass(by)],
  ['clock of a machine that slept', (clocks: TestClocks, by: number) => (clocks.ahead += by)],
  ['clock that is set back', (clocks: TestClocks, by: number) => (clocks.ahead -= by)],
])('a ring that has not seen the database for long, by the %s, neither signs nor publishes', async (_, move) => {
  const store = await newStore();
  const clocks = new TestClocks(1_000);
  const ring = await open(store, MASTER, clocks);
  move(clocks, FRESH_MS);
  expect(ring.current().kid).toBeDefined();
  move(clocks, 1);
  expect(() => ring.current()).toThrow(StoreUnavailable);
  expect(() => ring.published()).toThrow(StoreUnavailable);
  await ring.fresh();
  expect(ring.current().kid).toBeDefined();
  move(clocks, FRESH_MS + 1);
  await store.destroy();
  await expect(ring.fresh()).rejects.toThrow();
  expect(() => ring.current()).toThrow(StoreUnavailable);
});

test('a key of another row, or one that nobody with the master key has sealed, is never published', async () => {
  const store = await newStore();
  const ring = await open(store);
  const kid = ring.current().kid;
  const { jwe } = await store.selectFrom('signing_keys').select('jwe').executeTakeFirstOrThrow();
  const foreign = await makeKey(Buffer.from(MASTER).reverse());
  for (const row of [{ ...foreign }, { ...foreign, jwe }]) {
    await store
      .insertInto('signing_keys')
      .values(newRow(row, 'next', 2_000))
      .execute();
    await expect(ring.refresh()).rejects.toThrow(/cannot be opened/);
    expect(ring.published().map((key) => key.kid)).toEqual([kid]);
    await store.deleteFrom('signing_keys').where('kid', '=', foreign.kid).execute();
  }
});
