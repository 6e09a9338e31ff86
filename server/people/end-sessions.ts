import type { By } from '../audit/audit.ts';
import { findSession } from '../sessions/find-session.ts';
import { type EndedSession, endSessions } from '../sessions/sessions.ts';
import type { StoreTransaction } from '../store/store.ts';
import { knownPerson } from './known-person.ts';
import { type SignedOut, signOut } from './sign-out.ts';

const REASON = 'ended-by-administrator';

/**
 * Ends one session at once.
 *
 * @param named its ID, or the beginning of its ID
 * @throws Problem `session-unknown`
 */
export async function endOneSession(
  transaction: StoreTransaction,
  now: number,
  named: string,
  by: By,
): Promise<EndedSession> {
  const { id, email } = await findSession(transaction, now, named);
  const [ended] = await endSessions(transaction, now, { id }, { ...by, reason: REASON });
  return ended ?? { id, email, machine: null };
}

/**
 * Ends all sessions of a person at once, in terminals and in browsers. They can sign in again.
 *
 * @throws Problem `person-unknown`
 */
export async function endSessionsOfPerson(
  transaction: StoreTransaction,
  now: number,
  address: string,
  by: By,
): Promise<SignedOut & { email: string }> {
  const { id, email } = await knownPerson(transaction, address);
  return { email, ...(await signOut(transaction, now, { personId: id }, { ...by, reason: REASON })) };
}

/** Ends everybody's sessions at once, in terminals and in browsers. */
export function endAllSessions(transaction: StoreTransaction, now: number, by: By): Promise<SignedOut> {
  return signOut(transaction, now, 'all', { ...by, reason: REASON });
}
