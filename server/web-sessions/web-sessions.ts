import { randomUUID } from 'node:crypto';
import { audit, auditAll, type By, type RequestSource } from '../audit/audit.ts';
import { Problem } from '../problem/problem.ts';
import { hash, randomSecret } from '../secrets.ts';
import type { EndReason, PersonRole } from '../store/schema.ts';
import { notShutOut } from '../store/shut-out.ts';
import type { Store, StoreTransaction } from '../store/store.ts';

/** How long a web session lasts without a request, in milliseconds. */
export const IDLE_MS = 15 * 60_000;

/** The longest time from a touch to the session's end, in milliseconds. */
export const LONGEST_MS = 8 * 3600_000;

/** How exact the time of the last request is, in milliseconds: not every request needs a write. */
const SEEN_MS = 30_000;

/** The most web sessions of one person. When there are more, the oldest end. */
const MOST = 20;

/** A web session that can be used, with the person and the key behind it. */
export interface WebSession {
  id: string;
  personId: string;
  email: string;
  role: PersonRole;
  /** When the person was enrolled. */
  since: number;
  keyId: string;
  pageHash: string;
  browser: string | null;
  ip: string | null;
  /** The last touch, and the last request (to half a minute). */
  touchedAt: number;
  seenAt: number;
  expiresAt: number;
}

/** The two halves of a web session. Neither works without the other. */
export interface WebSessionSecrets {
  /** Goes into the cookie. */
  cookie: string;
  /** Goes to the page, which sends it in the header `Vouch-Page`. */
  page: string;
}

/** Sessions that are not over, whose person is neither disabled nor past their end date, and whose key is not removed. */
function active(store: Store, now: number) {
  return store
    .selectFrom('web_sessions')
    .innerJoin('people', 'people.id', 'web_sessions.person_id')
    .innerJoin('keys', 'keys.id', 'web_sessions.key_id')
    .where('web_sessions.expires_at', '>', now)
    .where('web_sessions.seen_at', '>', now - IDLE_MS)
    .where(notShutOut(now))
    .where('keys.removed_at', 'is', null)
    .select([
      'web_sessions.id as id',
      'people.id as personId',
      'people.email as email',
      'people.role as role',
      'people.created_at as since',
      'keys.id as keyId',
      'web_sessions.page_hash as pageHash',
      'web_sessions.browser as browser',
      'web_sessions.ip as ip',
      'web_sessions.touched_at as touchedAt',
      'web_sessions.seen_at as seenAt',
      'web_sessions.expires_at as expiresAt',
    ]);
}

/**
 * The web session that a cookie and a page's secret belong to, both of them. One statement compares their hashes. Notes that the session
 * was used.
 */
export async function useWebSession(
  store: Store,
  now: number,
  { cookie, page }: WebSessionSecrets,
): Promise<WebSession | undefined> {
  const session = await active(store, now)
    .where('web_sessions.cookie_hash', '=', hash(cookie))
    .where('web_sessions.page_hash', '=', hash(page))
    .executeTakeFirst();
  if (session !== undefined && session.seenAt <= now - SEEN_MS) {
    await store.updateTable('web_sessions').set({ seen_at: now }).where('id', '=', session.id).execute();
  }
  return session;
}

/** The web session with this ID, if it is active. */
export function findWebSession(store: Store, id: string, now: number): Promise<WebSession | undefined> {
  return active(store, now).where('web_sessions.id', '=', id).executeTakeFirst();
}

/** A person's active web sessions, the last touched first. */
export function webSessionsOf(store: Store, personId: string, now: number): Promise<WebSession[]> {
  return active(store, now)
    .where('web_sessions.person_id', '=', personId)
    .orderBy('web_sessions.touched_at', 'desc')
    .limit(MOST)
    .execute();
}

export interface NewWebSession {
  person: { id: string; email: string };
  keyId: string;
  browser: string | null;
  from: RequestSource;
  /** The end, in milliseconds since the epoch. */
  expiresAt: number;
}

/**
 * Begins a web session after a touch, with its row in the audit trail. Ends the person's oldest one if there are too many.
 *
 * @param before the browser's present cookie: the new one takes its place, so that session of this person is over
 */
export async function beginWebSession(
  transaction: StoreTransaction,
  now: number,
  { person, keyId, browser, from, expiresAt }: NewWebSession,
  before: string | undefined,
): Promise<WebSessionSecrets> {
  const secrets = { cookie: randomSecret(), page: randomSecret() };
  const id = randomUUID();
  await transaction
    .deleteFrom('web_sessions')
    .where('person_id', '=', person.id)
    .where((is) => is.or([is('expires_at', '<=', now), is('seen_at', '<=', now - IDLE_MS)]))
    .execute();
  if (before !== undefined) {
    await endWebSessions(transaction, now, { cookie: before, personId: person.id }, { reason: 'replaced', from });
  }
  const oldest = await transaction
    .selectFrom('web_sessions')
    .where('person_id', '=', person.id)
    .orderBy('touched_at', 'desc')
    .offset(MOST - 1)
    .limit(MOST)
    .select('id')
    .execute();
  for (const one of oldest) await endWebSessions(transaction, now, { id: one.id }, { reason: 'too-many', from });
  await transaction
    .insertInto('web_sessions')
    .values({
      id,
      cookie_hash: hash(secrets.cookie),
      page_hash: hash(secrets.page),
      person_id: person.id,
      key_id: keyId,
      browser,
      ip: from.ip,
      touched_at: now,
      seen_at: now,
      expires_at: expiresAt,
    })
    .execute();
  await audit(transaction, now, {
    event: 'web-session-began',
    actor: person.email,
    subject: person.email,
    from,
    machine: browser,
    keyId,
    sessionId: id,
  });
  return secrets;
}

/**
 * Renews a web session after another touch on its page: both secrets, its key and its end. Writes its row in the audit trail.
 *
 * @throws Problem `web-session-over` when it is over, or has new secrets already
 */
export async function renewWebSession(
  transaction: StoreTransaction,
  now: number,
  { id, pageHash, email, browser }: WebSession,
  { keyId, expiresAt, from }: { keyId: string; expiresAt: number; from: RequestSource },
): Promise<WebSessionSecrets> {
  const secrets = { cookie: randomSecret(), page: randomSecret() };
  const renewed = await transaction
    .updateTable('web_sessions')
    .set({
      cookie_hash: hash(secrets.cookie),
      page_hash: hash(secrets.page),
      key_id: keyId,
      touched_at: now,
      seen_at: now,
      expires_at: expiresAt,
    })
    .where('id', '=', id)
    .where('page_hash', '=', pageHash)
    .returning('id')
    .executeTakeFirst();
  if (renewed === undefined) throw webSessionOver();
  await audit(transaction, now, {
    event: 'web-session-renewed',
    actor: email,
    subject: email,
    from,
    machine: browser,
    keyId,
    sessionId: id,
  });
  return secrets;
}

/** Why a web session ended before its time. 'replaced': the same browser signed in again. */
export type WebEndReason = EndReason | 'replaced' | 'too-many';

/**
 * Ends web sessions at once, each with its row in the audit trail.
 *
 * @param which one session (perhaps only if it is this person's), all of a person but one, all of a key, all that there are, or one
 * person's with this cookie
 * @param why `actor` is who ends them: without it, each session's own person
 * @returns how many this ended
 */
export async function endWebSessions(
  transaction: StoreTransaction,
  now: number,
  which:
    | { id: string; personId?: string }
    | { personId: string; except?: string; cookie?: string }
    | { keyId: string }
    | 'all',
  why: { reason: WebEndReason } & Partial<By>,
): Promise<number> {
  const rows = await transaction
    .deleteFrom('web_sessions')
    .where((is) => {
      if (which === 'all') return is.lit(true);
      if ('id' in which) {
        const { id, personId } = which;
        return is.and(personId === undefined ? { id } : { id, person_id: personId });
      }
      if ('keyId' in which) return is('key_id', '=', which.keyId);
      return is.and([
        is('person_id', '=', which.personId),
        ...(which.except === undefined ? [] : [is('id', '!=', which.except)]),
        ...(which.cookie === undefined ? [] : [is('cookie_hash', '=', hash(which.cookie))]),
      ]);
    })
    .returning((is) => [
      'id',
      'key_id',
      'browser',
      'seen_at',
      'expires_at',
      is.selectFrom('people').select('email').whereRef('people.id', '=', 'web_sessions.person_id').as('email'),
    ])
    .execute();
  // The others were over already.
  const ended = rows.filter((row) => row.expires_at > now && row.seen_at > now - IDLE_MS);
  await auditAll(
    transaction,
    now,
    ended.map((row) => ({
      event: 'web-session-ended' as const,
      actor: why.actor ?? String(row.email),
      subject: String(row.email),
      from: why.from,
      sudoUser: why.sudoUser,
      machine: row.browser,
      keyId: row.key_id,
      sessionId: row.id,
      reason: why.reason,
    })),
  );
  return ended.length;
}

/** The answer to a page whose web session is not active. */
export function webSessionOver(): Problem {
  return new Problem({
    kind: 'web-session-over',
    what: 'You are signed out',
    fix: 'Sign in again with your security key.',
  });
}
