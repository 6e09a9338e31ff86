import { audit, type RequestSource } from '../audit/audit.ts';
import { type EndedSession, endSessions } from '../sessions/sessions.ts';
import type { EndReason } from '../store/schema.ts';
import type { StoreTransaction } from '../store/store.ts';
import { endWebSessions } from '../web-sessions/web-sessions.ts';

export interface RemovedKey {
  name: string;
  email: string;
  /** The agents' sessions that ended with it. */
  sessions: EndedSession[];
}

/**
 * Removes a key: nobody signs in with it again, and the sessions that it began end, in terminals and in browsers. Writes its row in the
 * audit trail, and those of the sessions. It may be the person's last key; whoever must prevent that counts first (`lockPerson`).
 *
 * @param why `actor` is who removes it; `reason` is why the sessions end, if not because a key was removed
 * @returns undefined if there is no such key, or no longer
 */
export async function removeKey(
  transaction: StoreTransaction,
  now: number,
  keyId: string,
  why: { actor: string; from?: RequestSource | undefined; sessionId?: string; reason?: EndReason },
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
  const { actor, from, sessionId = null, reason = 'key-removed' } = why;
  await audit(transaction, now, {
    event: 'key-removed',
    actor,
    subject: email,
    from,
    keyId,
    sessionId,
    detail: { name, model },
    ...(why.reason === undefined ? {} : { reason: why.reason }),
  });
  const sessions = await endSessions(transaction, now, { keyId }, { reason, actor, from });
  await endWebSessions(transaction, now, { keyId }, { reason, actor, from });
  return { name, email, sessions };
}
