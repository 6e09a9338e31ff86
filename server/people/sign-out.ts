import type { By } from '../audit/audit.ts';
import { type EndedSession, endSessions } from '../sessions/sessions.ts';
import type { EndReason } from '../store/schema.ts';
import type { StoreTransaction } from '../store/store.ts';
import { endWebSessions } from '../web-sessions/web-sessions.ts';

/** What was ended at once. */
export interface SignedOut {
  sessions: EndedSession[];
  /** How many browsers had my account open. */
  browsers: number;
}

/**
 * Ends all sessions of a person, of a key or of everybody: those of terminals, and those of browsers that have my account open.
 *
 * @param why who acts, and why
 */
export async function signOut(
  transaction: StoreTransaction,
  now: number,
  which: { personId: string } | { keyId: string } | 'all',
  why: { reason: EndReason } & By,
): Promise<SignedOut> {
  const sessions = await endSessions(transaction, now, which, why);
  return { sessions, browsers: await endWebSessions(transaction, now, which, why) };
}
