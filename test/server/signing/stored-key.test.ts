import { join } from 'node:path';
import { inspect } from 'node:util';
import { calculateJwkThumbprint, compactDecrypt, importJWK, jwtVerify } from 'jose';
import { afterEach, expect, test } from 'vitest';
import { deriveKey } from '../../../server/secrets.ts';
import { signJwt } from '../../../server/signing/sign-jwt.ts';
import { currentSigningKey, hasSigningKey } from '../../../server/signing/stored-key.ts';
import { openFile } from '../../../server/store/sqlite/open-store.ts';
import type { Store } from '../../../server/store/store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { privateJwk } from '../private-key.ts';

const MASTER = Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 37) % 251));

const folder = temporaryFolder();
const opened: Store[] = [];
let count = 0;

async function newStore(): Promise<Store> {
  count += 1;
  const store = await openFile(join(folder, `${count}.db`));
  opened.push(store);
  return store;
}
afterEach(async () => {
  for (const store of opened.splice(0)) await store.destroy();
});

test('the signing key is made once, and is the same ever after', async () => {
  const store = await newStore();
  expect(await hasSigningKey(store)).toBe(false);
  const first = await currentSigningKey(store, MASTER, 1_000);
  expect(await hasSigningKey(store)).toBe(true);
  const second = await currentSigningKey(store, MASTER, 2_000);
  expect(second.publicJwk).toEqual(first.publicJwk);
  const rows = await store.selectFrom('signing_keys').selectAll().execute();
  expect(rows).toMatchObject([{ kid: first.kid, state: 'current', created_at: 1_000 }]);
});

test('its public half says what it is for, verifies what the private one signs, and holds nothing secret', async () => {
  const store = await newStore();
  const key = await currentSigningKey(store, MASTER, 1_000);
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
  const { kid, publicJwk } = await currentSigningKey(store, MASTER, 1_000);
  const { jwe } = await store.selectFrom('signing_keys').select('jwe').executeTakeFirstOrThrow();
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, deriveKey(MASTER, 'signing keys'));
  expect(protectedHeader).toEqual({ alg: 'dir', enc: 'A256GCM', kid });
  expect(JSON.parse(Buffer.from(plaintext).toString())).toEqual({ ...publicJwk, d: expect.any(String) });
  await expect(compactDecrypt(jwe, MASTER)).rejects.toThrow();
});

test('it is not opened with another master key, and not replaced', async () => {
  const store = await newStore();
  const { kid } = await currentSigningKey(store, MASTER, 1_000);
  const other = currentSigningKey(store, Buffer.from(MASTER).reverse(), 2_000);
  await expect(other).rejects.toThrow(/VOUCH_MASTER_KEY is not the one it was made with/);
  expect((await currentSigningKey(store, MASTER, 3_000)).kid).toBe(kid);
});

test('servers that start together all have the same one', async () => {
  const store = await newStore();
  const keys = await Promise.all(Array.from({ length: 5 }, () => currentSigningKey(store, MASTER, 1_000)));
  expect(new Set(keys.map(({ kid }) => kid)).size).toBe(1);
});

test('a key that is not the current one signs nothing', async () => {
  const store = await newStore();
  const { kid } = await currentSigningKey(store, MASTER, 1_000);
  await store.updateTable('signing_keys').set({ state: 'old' }).execute();
  expect(await hasSigningKey(store)).toBe(false);
  expect((await currentSigningKey(store, MASTER, 2_000)).kid).not.toBe(kid);
});
