import { audit, type By } from '../audit/audit.ts';
import type { StoreTransaction } from '../store/store.ts';
import { revokeOpenInvitations } from './open-invitations.ts';
import { type SignedOut, signOut } from './sign-out.ts';

/** A removed key, and what ended with it. */
export interface RemovedKey extends SignedOut {
  name: string;
  email: string;
  /** How many keys the person has left. */
  left: number;
  /** How many invitations for a further key were voided with the last key. */
  invitations: number;
}

/**
 * Removes a key: nobody signs in with it again, and the sessions that it began end, in terminals and in browsers. Writes its row in the
 * audit trail, and those of the sessions. It may be the person's last key; a caller that must prevent that counts first.
 *
 * With the last key, open invitations for a further key are void: no key is left that could confirm it, so their codes, which alone were
 * worth nothing, would let in anybody who has one.
 *
 * @param by who removes it; `reason` is why the sessions end, if not because a key was removed
 * @returns undefined if there is no such key, or no longer
 */
export async function removeKey(
  transaction: StoreTransaction,
  now: number,
  keyId: string,
  { sessionId, reason, ...by }: By & { sessionId?: string; reason?: 'keys-replaced' },
): Promise<RemovedKey | undefined> {
  const removed = await transaction
    .updateTable('keys')
    .set({ removed_at: now })
    .where('id', '=', keyId)
    .where('removed_at', 'is', null)
    .returning((is) => [
      'name',
      'model',
      'person_id',
      is.selectFrom('people').select('email').whereRef('people.id', '=', 'keys.person_id').as('email'),
    ])
    .executeTakeFirst();
  if (removed === undefined) return undefined;
  const { name, model, person_id } = removed;
  const email = String(removed.email);
  await audit(transaction, now, {
    ...by,
    event: 'key-removed',
    subject: email,
    keyId,
    sessionId: sessionId ?? null,
    detail: { name, model },
    ...(reason === undefined ? {} : { reason }),
  });
  const why = { ...by, reason: reason ?? ('key-removed' as const) };
  const ended = await signOut(transaction, now, { keyId }, why);
  const { left } = await transaction
    .selectFrom('keys')
    .where('person_id', '=', person_id)
    .where('removed_at', 'is', null)
    .select((is) => is.fn.countAll<number>().as('left'))
    .executeTakeFirstOrThrow();
  const isLast = Number(left) === 0;
  const invitations = isLast ? await revokeOpenInvitations(transaction, now, email, why, { replace_keys: 0 }) : 0;
  return { name, email, ...ended, left: Number(left), invitations };
}
