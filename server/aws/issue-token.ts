import { audit, type RequestSource } from '../audit/audit.ts';
import type { Context } from '../context.ts';
import { Problem } from '../problem/problem.ts';
import { sessionOver } from '../sessions/session-over.ts';
import { type ActiveSession, findActiveSession } from '../sessions/sessions.ts';
import { statement } from '../store/statement.ts';
import type { Store } from '../store/store.ts';
import { idTokenForRole } from './id-token.ts';
import { keyTags } from './key-tags.ts';

/** The most tokens for a session, and in how many milliseconds. An agent asks for far fewer. */
const [MAX_TOKENS, WINDOW_MS] = [300, 10 * 60_000];

/**
 * Issues a token for a role to a session.
 *
 * It is signed before the transaction, because a signature may take seconds (AWS KMS), and nobody else could write meanwhile. It
 * leaves only after the transaction has found the session still active and has stored the audit row. So a revocation in between wins,
 * and every token that left can be found again.
 *
 * @param session as it was read for this request
 * @param role the role's ARN, checked
 * @param lent the name of the lend that the token is for, checked, if the agent lends what it gets
 * @returns the token and its end in milliseconds since the epoch
 * @throws Problem `session-over`, `too-many-requests` or `unavailable`; the last two with Retry-After
 */
export async function issueToken(
  context: Context,
  session: ActiveSession,
  role: string,
  from: RequestSource,
  lent?: string,
): Promise<{ token: string; expiresAt: number }> {
  const { store } = context;
  const asked = context.now();
  // Before the signature too: AWS counts them, and its limit is for all sessions together.
  await checkCount(store, session.id, asked);
  const tags = {
    ...(await keyTags(context, store, session.keyId, asked)),
    // CloudTrail tells lent work by it, and a trust policy can refuse it. It is the agent's word: a program with the session itself could
    // leave it out.
    ...(lent === undefined ? {} : { 'vouch:Lent': lent }),
  };
  const { token, expiresAt, jti } = await idTokenForRole(context, session, role, asked, tags);
  await store.transaction().execute(async (transaction) => {
    const now = context.now();
    const active = await findActiveSession(transaction, session.id, now);
    if (active === undefined) throw await sessionOver(context, transaction, session, now);
    if (active.email !== session.email || expiresAt > active.expiresAt) throw changed();
    await checkCount(transaction, session.id, now);
    await audit(transaction, now, {
      event: 'aws-token-issued',
      actor: session.email,
      subject: session.email,
      from,
      machine: session.machine,
      keyId: session.keyId,
      sessionId: session.id,
      // `seconds` last: outstanding.ts finds the rows with other limits by the text's end.
      detail: { role, jti, ...(lent === undefined ? {} : { lent }), seconds: context.config.awsSessionSeconds },
    });
  });
  return { token, expiresAt };
}

/** The token says what is no longer so. */
function changed(): Problem {
  return new Problem({
    kind: 'unavailable',
    what: 'The session changed while its token was signed',
    fix: 'Try again.',
    headers: { 'Retry-After': '1' },
  });
}

const countIssued = statement((store, { sessionId, since }: { sessionId: string; since: number }) =>
  store
    .selectFrom('audit')
    .where('session_id', '=', sessionId)
    .where('event', '=', 'aws-token-issued')
    .where('at', '>', since)
    .select((is) => [is.fn.countAll<number>().as('count'), is.fn.min('at').as('oldest')]),
);

/** Counts audit rows, because all instances see them. Rows from the future count too: they were written before a clock was set back. */
async function checkCount(store: Store, sessionId: string, now: number): Promise<void> {
  const [issued] = await countIssued(store, { sessionId, since: now - WINDOW_MS });
  const { count = 0, oldest = 0 } = issued ?? {};
  if (Number(count) < MAX_TOKENS) return;
  const wait = Math.max(1, Math.ceil((Number(oldest) + WINDOW_MS - now) / 1000));
  throw new Problem({
    kind: 'too-many-requests',
    what: 'This session has asked for too many tokens',
    fix: `Wait ${wait === 1 ? '1 second' : `${wait} seconds`}, then try again.`,
    headers: { 'Retry-After': String(wait) },
  });
}
