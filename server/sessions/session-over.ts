import type { Context } from '../context.ts';
import { Problem } from '../problem/problem.ts';
import type { EndReason } from '../store/schema.ts';
import type { Store } from '../store/store.ts';

/** Why a session is over: somebody ended it, or nobody had to. */
export type OverReason = EndReason | 'expired';

/** A session that is not active. */
export interface OverSession {
  id: string;
  /** Its person's address, as far as the caller knows it. */
  email?: string | undefined;
}

/**
 * Why sessions are over. What shuts the person out comes first, because then no new sign-in helps either.
 *
 * @param sessions not more than one statement can name
 * @returns by session ID; undefined for a session of which the database knows nothing
 */
export async function overReasons(
  store: Store,
  sessions: readonly OverSession[],
  now: number,
): Promise<Map<string, OverReason | undefined>> {
  const rows = await store
    .selectFrom('sessions')
    .innerJoin('people', 'people.id', 'sessions.person_id')
    .innerJoin('keys', 'keys.id', 'sessions.key_id')
    .where(
      'sessions.id',
      'in',
      sessions.map(({ id }) => id),
    )
    .select([
      'sessions.id as id',
      'sessions.revoked_at as revokedAt',
      'sessions.end_reason as endReason',
      'sessions.expires_at as expiresAt',
      'people.disabled_at as disabledAt',
      'people.ends_at as endsAt',
      'keys.removed_at as removedAt',
    ])
    .execute();
  const reasons = new Map<string, OverReason | undefined>();
  for (const row of rows) {
    if (row.disabledAt !== null) reasons.set(row.id, 'person-disabled');
    else if (row.endsAt !== null && row.endsAt <= now) reasons.set(row.id, 'end-date');
    // What shut the person out was lifted since: a new sign-in is not refused.
    else if (row.endReason === 'end-date') reasons.set(row.id, 'expired');
    else if (row.endReason === 'person-disabled') reasons.set(row.id, 'ended-by-administrator');
    else if (row.revokedAt !== null) reasons.set(row.id, row.endReason ?? undefined);
    else if (row.removedAt !== null) reasons.set(row.id, 'key-removed');
    else reasons.set(row.id, row.expiresAt <= now ? 'expired' : undefined);
  }
  // A person is deleted together with their sessions. Without a row, a session may also be of another database: one from a backup.
  const emails = sessions.flatMap(({ id, email }) => (reasons.has(id) || email === undefined ? [] : [email]));
  if (emails.length === 0) return reasons;
  const people = await store.selectFrom('people').where('email', 'in', emails).select('email').execute();
  const there = new Set(people.map(({ email }) => email));
  for (const { id, email } of sessions) {
    if (!reasons.has(id) && email !== undefined) reasons.set(id, there.has(email) ? undefined : 'person-removed');
  }
  return reasons;
}

/** The session of an OAuth grant, and why it is over, if the database knows; undefined if there is none. */
export async function whyGrantIsOver(
  store: Store,
  grantId: string,
  now: number,
): Promise<{ id: string; reason: OverReason | undefined } | undefined> {
  const session = await store.selectFrom('sessions').select('id').where('grant_id', '=', grantId).executeTakeFirst();
  return session && { id: session.id, reason: (await overReasons(store, [session], now)).get(session.id) };
}

/**
 * The API's answer to a request whose session is not active (RFC 9449, section 7.1), with the reason as data.
 *
 * @param store the database, perhaps within a transaction
 */
export async function sessionOver(
  { config }: Pick<Context, 'config'>,
  store: Store,
  session: OverSession,
  now: number,
): Promise<Problem> {
  const contact = config.contact?.text;
  const reason = (await overReasons(store, [session], now)).get(session.id);
  return new Problem({
    kind: 'session-over',
    what: 'Your session is over',
    fix: 'Run `vouch login`.',
    members: { ...(reason && { reason }), ...(contact && { contact }) },
    headers: { 'WWW-Authenticate': 'DPoP error="invalid_token", algs="ES256"' },
  });
}
