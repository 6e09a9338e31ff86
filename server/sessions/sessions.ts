import { audit } from '../audit/audit.ts';
import { Problem } from '../problem/problem.ts';
import type { Store } from '../store/store.ts';

/** A session that can be used, with the person and the key behind it. */
export interface ActiveSession {
  id: string;
  email: string;
  keyId: string;
  keyName: string;
  keyModel: string | null;
  authTime: number;
  expiresAt: number;
}

/** Sessions that are neither over nor revoked, whose person is not disabled and whose key is not removed. */
function active(store: Store, now: number) {
  return store
    .selectFrom('sessions')
    .innerJoin('people', 'people.id', 'sessions.person_id')
    .innerJoin('keys', 'keys.id', 'sessions.key_id')
    .where('sessions.revoked_at', 'is', null)
    .where('sessions.expires_at', '>', now)
    .where('people.disabled_at', 'is', null)
    .where('keys.removed_at', 'is', null)
    .select([
      'sessions.id as id',
      'people.email as email',
      'keys.id as keyId',
      'keys.name as keyName',
      'keys.model as keyModel',
      'sessions.auth_time as authTime',
      'sessions.expires_at as expiresAt',
    ]);
}

/** Starts a session. `authTime`, the touch, and `expiresAt` are in milliseconds since the epoch. */
export async function startSession(
  store: Store,
  session: {
    id: string;
    personId: string;
    keyId: string;
    machine: string | null;
    authTime: number;
    expiresAt: number;
  },
): Promise<void> {
  await store
    .insertInto('sessions')
    .values({
      id: session.id,
      person_id: session.personId,
      key_id: session.keyId,
      grant_id: null,
      machine: session.machine,
      auth_time: session.authTime,
      expires_at: session.expiresAt,
      revoked_at: null,
    })
    .execute();
}

/** The session with this ID, if it is active. */
export async function findActiveSession(store: Store, id: string, now: number): Promise<ActiveSession | undefined> {
  return active(store, now).where('sessions.id', '=', id).executeTakeFirst();
}

/** The API's answer to a request whose session is not active (RFC 9449, section 7.1). */
export function sessionOver(): Problem {
  return new Problem({
    kind: 'session-over',
    what: 'Your session is over',
    fix: 'Run `vouch login`.',
    headers: { 'WWW-Authenticate': 'DPoP error="invalid_token", algs="ES256"' },
  });
}

/** The session that an OAuth grant belongs to, if it is active. */
export async function findSessionOfGrant(
  store: Store,
  grantId: string,
  now: number,
): Promise<ActiveSession | undefined> {
  return active(store, now).where('sessions.grant_id', '=', grantId).executeTakeFirst();
}

/** Ties a session to its OAuth grant. This works once: false for a second grant of the same touch. */
export async function bindSessionToGrant(store: Store, id: string, grantId: string): Promise<boolean> {
  const bound = await store
    .updateTable('sessions')
    .set({ grant_id: grantId })
    .where('id', '=', id)
    .where('grant_id', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return bound !== undefined;
}

/** Ends a session at once. Does nothing if it is revoked already. */
export async function revokeSession(
  store: Store,
  now: number,
  session: { id: string } | { grantId: string },
  why: { reason: string; ip?: string },
): Promise<void> {
  await store.transaction().execute(async (transaction) => {
    const revoked = await transaction
      .updateTable('sessions')
      .set({ revoked_at: now })
      .where('revoked_at', 'is', null)
      .where((is) => ('id' in session ? is('id', '=', session.id) : is('grant_id', '=', session.grantId)))
      .returning(['id', 'person_id', 'key_id'])
      .executeTakeFirst();
    if (revoked === undefined) return;
    const person = await transaction
      .selectFrom('people')
      .select('email')
      .where('id', '=', revoked.person_id)
      .executeTakeFirst();
    await audit(transaction, now, {
      event: 'session-revoked',
      email: person?.email ?? null,
      keyId: revoked.key_id,
      sessionId: revoked.id,
      ip: why.ip ?? null,
      detail: { reason: why.reason },
    });
  });
}
