import {
  CompactEncrypt,
  calculateJwkThumbprint,
  compactDecrypt,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';
import { Problem } from '../problem/problem.ts';
import { deriveKey } from '../secrets.ts';
import type { Store } from '../store/store.ts';
import type { SigningKey } from './signing-key.ts';

/** A key from the database. This process holds its private half, but no code can read it again. */
class StoredKey implements SigningKey {
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly #privateKey: CryptoKey;

  constructor(kid: string, publicJwk: JWK, privateKey: CryptoKey) {
    this.kid = kid;
    this.publicJwk = publicJwk;
    this.#privateKey = privateKey;
  }

  async sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    return new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, this.#privateKey, bytes));
  }
}

/**
 * Reads the current signing key, or makes one at the first start. It is stored as a JWE (RFC 7516, `dir` with A256GCM).
 *
 * @param master the master key, 32 bytes
 * @throws Problem `signing-key-locked` when the stored key cannot be opened with this master key
 */
export async function currentSigningKey(store: Store, master: Buffer, now: number): Promise<SigningKey> {
  const wrapping = wrappingKey(master);
  return unlock((await findCurrent(store)) ?? (await makeFirst(store, wrapping, now)), wrapping);
}

/**
 * The signing key with this name, whatever its state; undefined when there is none. Only a holder of the master key can have stored it.
 *
 * @param master the master key, 32 bytes
 * @throws Problem `signing-key-locked` when the stored key cannot be opened with this master key
 */
export async function findSigningKey(store: Store, master: Buffer, kid: string): Promise<SigningKey | undefined> {
  const stored = await store
    .selectFrom('signing_keys')
    .select(['kid', 'jwe'])
    .where('kid', '=', kid)
    .executeTakeFirst();
  return stored && unlock(stored, wrappingKey(master));
}

function wrappingKey(master: Buffer): Buffer {
  return deriveKey(master, 'signing keys');
}

async function unlock({ kid, jwe }: { kid: string; jwe: string }, wrapping: Buffer): Promise<SigningKey> {
  const privateJwk = await open(jwe, wrapping);
  const { d: _secret, ...publicJwk } = privateJwk;
  return new StoredKey(kid, publicJwk, (await importJWK(privateJwk, 'ES256')) as CryptoKey);
}

/** Whether there is a signing key already. Only the master key that it was stored with can open it. */
export async function hasSigningKey(store: Store): Promise<boolean> {
  return (await findCurrent(store)) !== undefined;
}

function findCurrent(store: Store) {
  return store.selectFrom('signing_keys').select(['kid', 'jwe']).where('state', '=', 'current').executeTakeFirst();
}

async function makeFirst(store: Store, wrapping: Buffer, now: number): Promise<{ kid: string; jwe: string }> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const jwe = await new CompactEncrypt(Buffer.from(JSON.stringify({ ...jwk, kid, alg: 'ES256', use: 'sig' })))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid })
    .encrypt(wrapping);
  await store
    .insertInto('signing_keys')
    .values({ kid, state: 'current', jwe, created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  // Another server may have been first: its key counts.
  const current = await findCurrent(store);
  if (current === undefined) throw new Error('the signing key was not stored');
  return current;
}

async function open(jwe: string, wrapping: Buffer): Promise<JWK> {
  try {
    const { plaintext } = await compactDecrypt(jwe, wrapping);
    return JSON.parse(Buffer.from(plaintext).toString()) as JWK;
  } catch {
    throw new Problem({
      kind: 'signing-key-locked',
      what: 'The signing key in the database cannot be opened: VOUCH_MASTER_KEY is not the one it was made with.',
      fix: 'Start the server with the first key, or restore the database that belongs to this one.',
    });
  }
}
