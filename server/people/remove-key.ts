import { audit, type By } from '../audit/audit.ts';
import type { EndReason } from '../store/schema.ts';
import type { StoreTransaction } from '../store/store.ts';
import { type SignedOut, signOut } from './sign-out.ts';

/** A removed key, and what ended with it. */
export interface RemovedKey extends SignedOut {
  name: string;
  email: string;
}

/**
 * Removes a key: nobody signs in with it again, and the sessions that it began end, in terminals and in browsers. Writes its row in the
 * audit trail, and those of the sessions. It may be the person's last key; whoever must prevent that counts first (`lockPerson`).
 *
 * @param by who removes it; `reason` is why the sessions end, if not because a key was removed
 * @returns undefined if there is no such key, or no longer
 */
export async function removeKey(
  transaction: StoreTransaction,
  now: number,
  keyId: string,
  { sessionId, reason, ...by }: By & { sessionId?: string; reason?: EndReason },
): Promise<RemovedKey | undefined> {
  const removed = await transaction
    .updateTable('keys')
    .set({ removed_at: now })
    .where('id', '=', keyId)
    .where('removed_at', 'is', null)
    .returning((is) => [
      'name',
      'model',
      is.selectFrom('people').select('email').whereRef('people.id', '=', 'keys.person_id').as('email'),
    ])
    .executeTakeFirst();
  if (removed === undefined) return undefined;
  const { name, model } = removed;
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
  const ended = await signOut(transaction, now, { keyId }, { ...by, reason: reason ?? 'key-removed' });
  return { name, email, ...ended };
}
