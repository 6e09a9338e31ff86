import { audit } from '../audit/audit.ts';
import type { Context } from '../context.ts';
import { Problem } from '../problem/problem.ts';
import { findActiveSession, sessionOver } from '../sessions/sessions.ts';
import type { Store } from '../store/store.ts';
import { tokenForRole } from './token-for-role.ts';

/** So many tokens one session gets in so many milliseconds: far more than an agent asks for, whatever happens to it. */
const [MOST, WINDOW_MS] = [300, 10 * 60_000];

/**
 * Gives a session a token for a role.
 *
 * That the session stands is looked at in the transaction that writes the audit row, and signing is within it: who revokes the
 * session comes before all of that or after it, so no token is ever issued after a revocation. The row is there before the token
 * leaves: none is ever out that nobody can find again.
 *
 * @param role the role's ARN, checked
 * @param ip where the request came from
 * @returns the token and its end in milliseconds since the epoch
 * @throws Problem `session-over`, or `too-many-requests` with Retry-After
 */
export async function issueToken(
  context: Context,
  sessionId: string,
  role: string,
  ip: string,
): Promise<{ token: string; expiresAt: number }> {
  return context.store.transaction().execute(async (transaction) => {
    const now = context.now();
    const session = await findActiveSession(transaction, sessionId, now);
    if (session === undefined) throw sessionOver();
    await checkCount(transaction, sessionId, now);
    const { token, expiresAt, jti } = await tokenForRole(context, session, role, now);
    await audit(transaction, now, {
      event: 'aws-token-issued',
      email: session.email,
      keyId: session.keyId,
      sessionId,
      ip,
      detail: { role, jti },
    });
    return { token, expiresAt };
  });
}

/** By the audit rows, which all instances see; those of the future are of a clock that was set back, and count too. */
async function checkCount(store: Store, sessionId: string, now: number): Promise<void> {
  const { count, oldest } = await store
    .selectFrom('audit')
    .where('session_id', '=', sessionId)
    .where('event', '=', 'aws-token-issued')
    .where('at', '>', now - WINDOW_MS)
    .select((is) => [is.fn.countAll<number>().as('count'), is.fn.min('at').as('oldest')])
    .executeTakeFirstOrThrow();
  if (Number(count) < MOST) return;
  const wait = Math.max(1, Math.ceil((Number(oldest) + WINDOW_MS - now) / 1000));
  throw new Problem({
    kind: 'too-many-requests',
    what: 'This session has asked for too many tokens',
    fix: `Wait ${wait === 1 ? '1 second' : `${wait} seconds`}, then try again.`,
    headers: { 'Retry-After': String(wait) },
  });
}
