import { audit, type By } from '../../audit/audit.ts';
import { Problem } from '../../problem/problem.ts';
import { activeSessions, type EndedSession, endSessions } from '../../sessions/sessions.ts';
import type { Store, StoreTransaction } from '../../store/store.ts';
import { findKey } from '../find-key.ts';
import type { DatabaseKeyRing } from '../key-ring.ts';
import { DATABASE, type KeyRow, type NewKey, newRow } from '../key-rows.ts';
import { FRESH_MS } from '../lifetimes.ts';
import { makeCurrent } from './transitions.ts';

/** How long before a key began to sign the touch of a session may be whose token it signed, in milliseconds: page and code live shorter. */
const REDEEMED_MS = 3 * 60_000;

/** How long after a key signed last another instance, or one with another clock, may still have signed with it, in milliseconds. */
const LATE_MS = FRESH_MS + 60_000;

/** What a revocation did. */
export interface Revocation {
  /** All that were revoked. */
  kids: string[];
  /** The key that signs now, if another one did before. */
  current: string | undefined;
  sessions: EndedSession[];
}

/**
 * Revokes a key at once, in a transaction of its own.
 *
 * @param key the key, as it was read before
 * @param keys the ring, just opened
 * @param now milliseconds since the epoch
 * @throws Problem `signing-key-unchanged` when no other key can sign in its place; `kms-refused` or `kms-unreachable`
 */
export async function revokeNow(
  store: Store,
  keys: DatabaseKeyRing,
  { kid, state }: Pick<KeyRow, 'kid' | 'state'>,
  now: number,
  by: By,
): Promise<Revocation> {
  const replacement = state === 'current' ? await keys.makeKey() : undefined;
  const withoutPrivateHalf = (row: KeyRow) => keys.withoutPrivateHalf(row);
  return store
    .transaction()
    .execute(async (transaction) =>
      revokeKey(transaction, await findKey(transaction, kid), { replacement, withoutPrivateHalf }, now, by),
    );
}

/**
 * Revokes a key at once: it leaves the key set, and the sessions whose tokens it signed end. If it was the current one, another one signs:
 * the next key, if its private half is in another place; otherwise the replacement, because whoever had the one can have had the other.
 *
 * @param key the key's row, read in this transaction
 * @param how.replacement a new key, if it is the current one
 * @param how.withoutPrivateHalf a stored key as it is kept when it signs no more
 * @param now milliseconds since the epoch
 */
export async function revokeKey(
  transaction: StoreTransaction,
  key: KeyRow,
  how: { replacement: NewKey | undefined; withoutPrivateHalf: (key: KeyRow) => Promise<string> },
  now: number,
  by: By,
): Promise<Revocation> {
  const revoke = async (row: KeyRow) => {
    await transaction
      .updateTable('signing_keys')
      .set({ state: 'gone', gone_at: row.gone_at ?? now, revoked_at: now, jwe: await how.withoutPrivateHalf(row) })
      .where('kid', '=', row.kid)
      .execute();
    await audit(transaction, now, {
      ...by,
      event: 'signing-key-revoked',
      detail: { kid: row.kid, state: row.state },
    });
    return row.kid;
  };
  const kids = [await revoke(key)];
  let current: string | undefined;
  if (key.state === 'current') {
    const next = await transaction
      .selectFrom('signing_keys')
      .selectAll()
      .where('state', '=', 'next')
      .executeTakeFirst();
    const usable = next !== undefined && next.source !== key.source;
    if (next !== undefined && !usable) kids.push(await revoke(next));
    if (usable) current = next.kid;
    else current = await storeReplacement(transaction, how.replacement, now);
    await makeCurrent(transaction, current, key.kid, now, by);
  }
  return { kids, current, sessions: await endSessionsOf(transaction, key, now, by) };
}

/** When the touches were whose sessions a key has signed tokens for, in milliseconds since the epoch; undefined if it never signed. */
function touchesOf(key: KeyRow, now: number): { touchedFrom: number; touchedUntil: number } | undefined {
  if (key.current_at === null) return undefined;
  // A key in KMS can have signed before that, too (transitions.ts, bringBack).
  const from = key.source === DATABASE ? key.current_at : key.created_at;
  return { touchedFrom: from - REDEEMED_MS, touchedUntil: (key.previous_at ?? now) + LATE_MS };
}

async function storeReplacement(transaction: StoreTransaction, key: NewKey | undefined, now: number): Promise<string> {
  const known =
    key && (await transaction.selectFrom('signing_keys').select('kid').where('kid', '=', key.kid).executeTakeFirst());
  if (key === undefined || known !== undefined) throw noOtherKey();
  await transaction
    .insertInto('signing_keys')
    .values(newRow(key, 'next', now))
    .execute();
  return key.kid;
}

/** How many sessions a revocation of this key would end. */
export async function countSessionsOf(store: Store, key: KeyRow, now: number): Promise<number> {
  const touches = touchesOf(key, now);
  if (touches === undefined) return 0;
  const { count } = await activeSessions(store, now)
    .clearSelect()
    .where((is) => is.between('sessions.auth_time', touches.touchedFrom, touches.touchedUntil))
    .select((is) => is.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

function noOtherKey(): Problem {
  return new Problem({
    kind: 'signing-key-unchanged',
    what: 'Nothing was changed: there is no other key to sign with.',
    why: 'The keys have changed at the same moment, or VOUCH_SIGNING_KEY names a key in AWS KMS that is or was in use.',
    fix: 'For keys in AWS KMS, create another key and name it in VOUCH_SIGNING_KEY. Then try again.',
  });
}

async function endSessionsOf(transaction: StoreTransaction, key: KeyRow, now: number, by: By) {
  const touches = touchesOf(key, now);
  if (touches === undefined) return [];
  return endSessions(transaction, now, touches, { ...by, reason: 'ended-by-administrator' });
}
