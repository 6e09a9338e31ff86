import { audit, type RequestSource } from '../audit/audit.ts';
import type { Context } from '../context.ts';
import { Problem } from '../problem/problem.ts';
import { sessionOver } from '../sessions/session-over.ts';
import { findActiveSession } from '../sessions/sessions.ts';
import type { Store } from '../store/store.ts';
import { idTokenForRole } from './id-token.ts';
import { keyTags } from './key-tags.ts';

/** The most tokens for a session, and in how many milliseconds. An agent asks for far fewer. */
const [MAX_TOKENS, WINDOW_MS] = [300, 10 * 60_000];

/**
 * Issues a token for a role to a session.
 *
 * One transaction checks that the session is active, signs, and writes the audit row. So a revocation cannot fall in between. The row
 * is stored before the token leaves, so that every token can be found again.
 *
 * @param role the role's ARN, checked
 * @returns the token and its end in milliseconds since the epoch
 * @throws Problem `session-over`, or `too-many-requests` with Retry-After
 */
export async function issueToken(
  context: Context,
  sessionId: string,
  role: string,
  from: RequestSource,
): Promise<{ token: string; expiresAt: number }> {
  return context.store.transaction().execute(async (transaction) => {
    const now = context.now();
    const session = await findActiveSession(transaction, sessionId, now);
    if (session === undefined) {
      throw await sessionOver(context, transaction, { id: sessionId }, now);
    }
    await checkCount(transaction, sessionId, now);
    const tags = await keyTags(context, transaction, session.keyId, now);
    const { token, expiresAt, jti } = await idTokenForRole(context, session, role, now, tags);
    await audit(transaction, now, {
      event: 'aws-token-issued',
      actor: session.email,
      subject: session.email,
      from,
      machine: session.machine,
      keyId: session.keyId,
      sessionId,
      detail: { role, jti, seconds: context.config.awsSessionSeconds },
    });
    return { token, expiresAt };
  });
}

/** Counts audit rows, because all instances see them. Rows from the future count too: they were written before a clock was set back. */
async function checkCount(store: Store, sessionId: string, now: number): Promise<void> {
  const { count, oldest } = await store
    .selectFrom('audit')
    .where('session_id', '=', sessionId)
    .where('event', '=', 'aws-token-issued')
    .where('at', '>', now - WINDOW_MS)
    .select((is) => [is.fn.countAll<number>().as('count'), is.fn.min('at').as('oldest')])
    .executeTakeFirstOrThrow();
  if (Number(count) < MAX_TOKENS) return;
  const wait = Math.max(1, Math.ceil((Number(oldest) + WINDOW_MS - now) / 1000));
  throw new Problem({
    kind: 'too-many-requests',
    what: 'This session has asked for too many tokens',
    fix: `Wait ${wait === 1 ? '1 second' : `${wait} seconds`}, then try again.`,
    headers: { 'Retry-After': String(wait) },
  });
}
