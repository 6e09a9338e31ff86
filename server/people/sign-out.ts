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
 * Ends sessions: those of terminals, and those of browsers that have my account open.
 *
 * @param which one session, if it is this person's; all of a person (perhaps except one), of a key, or all that there are
 * @param why who acts, and why
 */
export async function signOut(
  transaction: StoreTransaction,
  now: number,
  which: { id: string; personId: string } | { personId: string; except?: string } | { keyId: string } | 'all',
  why: { reason: EndReason } & By,
): Promise<SignedOut> {
  const sessions = await endSessions(transaction, now, which, why);
  return { sessions, browsers: await endWebSessions(transaction, now, which, why) };
}
