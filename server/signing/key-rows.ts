import type { JWK } from 'jose';
import type { SigningKeysTable } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { publicHalf, sealJwk, unsealJwk } from './sealed-jwk.ts';
import { makeStoredKey } from './stored-key.ts';

/** A key as the database has it. */
export type KeyRow = SigningKeysTable;

/** Where the private half of a key is that the database has, for `source`. */
export const DATABASE = 'database';

/** A key that is not in the database yet. */
export type NewKey = Pick<KeyRow, 'kid' | 'jwe' | 'source'>;

/** The keys that are published: the one that signs comes first, then the next one, then the previous ones, the latest first. */
export async function publishedRows(store: Store): Promise<KeyRow[]> {
  const rows = await store.selectFrom('signing_keys').selectAll().where('state', '!=', 'gone').execute();
  const order = ['current', 'next', 'previous'];
  return rows.sort(
    (a, b) =>
      order.indexOf(a.state) - order.indexOf(b.state) ||
      (b.current_at ?? b.created_at) - (a.current_at ?? a.created_at),
  );
}

/** All keys: those that are published in the key set's order, then those that are gone, the latest first. */
export async function allRows(store: Store): Promise<KeyRow[]> {
  const gone = await store
    .selectFrom('signing_keys')
    .selectAll()
    .where('state', '=', 'gone')
    .orderBy('gone_at', 'desc')
    .orderBy('kid')
    .execute();
  return [...(await publishedRows(store)), ...gone];
}

/** Whether there is a signing key already. Only the master key that it was stored with can open it. */
export async function hasSigningKey(store: Store): Promise<boolean> {
  const row = await store.selectFrom('signing_keys').select('kid').limit(1).executeTakeFirst();
  return row !== undefined;
}

/**
 * Makes a key that can be stored.
 *
 * @param master the master key, 32 bytes
 */
export async function makeKey(master: Buffer): Promise<NewKey> {
  const jwk = await makeStoredKey();
  return { kid: jwk.kid, jwe: await sealJwk(jwk, master), source: DATABASE };
}

/** Stores the very first key, which signs at once: nobody knows an earlier one. Another server may be first; then its key counts. */
export async function storeFirst(store: Store, key: NewKey, now: number): Promise<void> {
  await store
    .insertInto('signing_keys')
    .values({ ...newRow(key, 'current', now), current_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** The row of a new key. */
export function newRow(key: NewKey, state: 'next' | 'current', now: number): KeyRow {
  return {
    ...key,
    state,
    created_at: now,
    published_at: now,
    signs_from: null,
    current_at: null,
    previous_at: null,
    gone_at: null,
    revoked_at: null,
  };
}

/** A key that this server has, or had. */
export interface KnownKey {
  kid: string;
  publicJwk: JWK;
  /** When it was revoked, in milliseconds since the epoch: what is said to be signed by it proves nothing. */
  revokedAt: number | null;
}

/**
 * The signing key with this name, whatever its state; undefined when there is none. Only a holder of the master key can have stored it.
 *
 * @param master the master key, 32 bytes
 * @throws Problem `signing-key-locked` when the stored key cannot be opened with this master key
 */
export async function findSigningKey(store: Store, master: Buffer, kid: string): Promise<KnownKey | undefined> {
  const row = await store
    .selectFrom('signing_keys')
    .select(['jwe', 'revoked_at'])
    .where('kid', '=', kid)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return { kid, publicJwk: publicHalf(await unsealJwk(kid, row.jwe, master)), revokedAt: row.revoked_at };
}
