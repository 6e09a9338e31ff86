import { audit, type By } from '../../audit/audit.ts';
import type { StoreTransaction } from '../../store/store.ts';
import { type KeyRow, type NewKey, newRow } from '../key-rows.ts';

/** A key as somebody has seen it. */
type Seen = Pick<KeyRow, 'kid' | 'jwe'>;

/**
 * Publishes a next key.
 *
 * @param current the current key, as whoever made the next one has opened it
 * @param signsFrom when it may sign at the earliest, in milliseconds since the epoch
 * @param now milliseconds since the epoch
 * @returns false when there is a next key already, or when the current one has changed
 */
export async function publishNext(
  transaction: StoreTransaction,
  { current, next, signsFrom }: { current: Seen; next: NewKey; signsFrom: number },
  now: number,
  by: By,
): Promise<boolean> {
  // After the master key was changed, an instance that has the old one must not seal anything more with it.
  if (!(await isStill(transaction, current, 'current'))) return false;
  const stored = await transaction
    .insertInto('signing_keys')
    .values({ ...newRow(next, 'next', now), signs_from: signsFrom })
    .onConflict((conflict) => conflict.doNothing())
    .returning('kid')
    .executeTakeFirst();
  if (stored === undefined) return false;
  await audit(transaction, now, {
    ...by,
    event: 'signing-key-published',
    detail: { kid: next.kid, source: next.source, signsFrom },
  });
  return true;
}

/**
 * Makes a key that has signed before, and is not lost, the next one.
 *
 * @param key sealed again
 * @returns false when there is a next key already, or when the current one has changed
 */
export async function bringBack(
  transaction: StoreTransaction,
  { current, key, signsFrom }: { current: Seen; key: NewKey; signsFrom: number },
  now: number,
  by: By,
): Promise<boolean> {
  if (!(await isStill(transaction, current, 'current'))) return false;
  const next = transaction.selectFrom('signing_keys').select('kid').where('state', '=', 'next');
  const back = await transaction
    .updateTable('signing_keys')
    .set((row) => ({
      ...key,
      state: 'next',
      signs_from: signsFrom,
      // A previous key has been published all the time.
      published_at: row.case().when('state', '=', 'gone').then(now).else(row.ref('published_at')).end(),
      previous_at: null,
      gone_at: null,
    }))
    .where('kid', '=', key.kid)
    .where('state', 'in', ['previous', 'gone'])
    .where('revoked_at', 'is', null)
    .where((is) => is.not(is.exists(next)))
    .returning('kid')
    .executeTakeFirst();
  if (back === undefined) return false;
  const { kid, source } = key;
  await audit(transaction, now, { ...by, event: 'signing-key-published', detail: { kid, source, signsFrom } });
  return true;
}

/**
 * Lets the next key sign sooner.
 *
 * @param signsFrom milliseconds since the epoch
 * @returns false when there is no such next key
 */
export async function bringForward(
  transaction: StoreTransaction,
  { kid, signsFrom }: { kid: string; signsFrom: number },
  now: number,
  by: By,
): Promise<boolean> {
  const changed = await transaction
    .updateTable('signing_keys')
    .set({ signs_from: signsFrom })
    .where('kid', '=', kid)
    .where('state', '=', 'next')
    .returning('kid')
    .executeTakeFirst();
  if (changed === undefined) return false;
  await audit(transaction, now, {
    ...by,
    event: 'signing-key-advanced',
    detail: { kid, signsFrom },
  });
  return true;
}

/**
 * Makes the next key the current one. The one before is still published, but its private half is deleted.
 *
 * @param sealed the current key without its private half
 * @returns false when another instance was first
 */
export async function promote(
  transaction: StoreTransaction,
  { current, sealed, next }: { current: Seen; sealed: string; next: Pick<Seen, 'kid'> },
  now: number,
  by: By,
): Promise<boolean> {
  if (!(await isStill(transaction, current, 'current'))) return false;
  const waiting = await transaction
    .selectFrom('signing_keys')
    .select('kid')
    .where('kid', '=', next.kid)
    .where('state', '=', 'next')
    .executeTakeFirst();
  if (waiting === undefined) return false;
  await transaction
    .updateTable('signing_keys')
    .set({ state: 'previous', previous_at: now, jwe: sealed })
    .where('kid', '=', current.kid)
    .execute();
  await makeCurrent(transaction, next.kid, current.kid, now, by);
  return true;
}

/** Makes a next key the current one, where there is none. */
export async function makeCurrent(
  transaction: StoreTransaction,
  kid: string,
  before: string,
  now: number,
  by: By,
): Promise<void> {
  await transaction
    .updateTable('signing_keys')
    .set({ state: 'current', current_at: now })
    .where('kid', '=', kid)
    .execute();
  await audit(transaction, now, { ...by, event: 'signing-key-current', detail: { kid, before } });
}

/**
 * Takes a previous key out of the key set.
 *
 * @returns false when another instance was first
 */
export async function retire(transaction: StoreTransaction, kid: string, now: number, by: By): Promise<boolean> {
  const retired = await transaction
    .updateTable('signing_keys')
    .set({ state: 'gone', gone_at: now })
    .where('kid', '=', kid)
    .where('state', '=', 'previous')
    .returning('kid')
    .executeTakeFirst();
  if (retired === undefined) return false;
  await audit(transaction, now, { ...by, event: 'signing-key-retired', detail: { kid } });
  return true;
}

async function isStill(transaction: StoreTransaction, { kid, jwe }: Seen, state: KeyRow['state']): Promise<boolean> {
  const row = await transaction
    .selectFrom('signing_keys')
    .select('kid')
    .where('kid', '=', kid)
    .where('state', '=', state)
    .where('jwe', '=', jwe)
    .executeTakeFirst();
  return row !== undefined;
}
