import { detailOf } from '../audit/json.ts';
import { type Page, type PageRequest, pageOf, readCursor } from '../store/page.ts';
import type { Store } from '../store/store.ts';
import { activeSessions } from './sessions.ts';

/** A session, as a list shows it. Times are milliseconds since the epoch. */
export interface ListedSession {
  id: string;
  email: string;
  machine: string | null;
  key: { id: string; name: string; model: string | null };
  /** The touch that began it. */
  since: number;
  until: number;
  /** The role's ARN that the last token was for, by the audit trail; null if there was none. */
  lastRole: string | null;
  /** When that token was issued. */
  lastRoleAt: number | null;
}

/**
 * A page of the sessions that can be used, the newest first.
 *
 * @param personId only this person's; undefined for everybody's
 * @param now milliseconds since the epoch
 * @throws Problem `option-refused` when the cursor is not one of this list
 */
export async function listSessions(
  store: Store,
  now: number,
  personId: string | undefined,
  { limit, after }: PageRequest,
): Promise<Page<ListedSession>> {
  let query = activeSessions(store, now)
    .orderBy('sessions.auth_time', 'desc')
    .orderBy('sessions.id')
    .limit(limit + 1);
  if (personId !== undefined) query = query.where('sessions.person_id', '=', personId);
  if (after !== undefined) {
    const [since, id] = readCursor<[number, string]>(after, [0, '']);
    query = query.where((is) =>
      is.or([
        is('sessions.auth_time', '<', since),
        is.and([is('sessions.auth_time', '=', since), is('sessions.id', '>', id)]),
      ]),
    );
  }
  const { rows, next } = pageOf(await query.execute(), limit, ({ authTime, id }) => [authTime, id]);
  const roles = await lastRoles(
    store,
    rows.map(({ id }) => id),
  );
  const sessions = rows.map((row) => ({
    id: row.id,
    email: row.email,
    machine: row.machine,
    key: { id: row.keyId, name: row.keyName, model: row.keyModel },
    since: row.authTime,
    until: row.expiresAt,
    lastRole: roles.get(row.id)?.role ?? null,
    lastRoleAt: roles.get(row.id)?.at ?? null,
  }));
  return { rows: sessions, next };
}

/** The role of each session's last token. Not a part of the query above, which would look it up for all sessions, and then sort. */
async function lastRoles(store: Store, sessionIds: string[]): Promise<Map<string, { role: string; at: number }>> {
  if (sessionIds.length === 0) return new Map();
  const rows = await store
    .selectFrom('sessions')
    .where('id', 'in', sessionIds)
    .select((is) => [
      'id',
      is
        .selectFrom('audit')
        .whereRef('audit.session_id', '=', 'sessions.id')
        .where('audit.event', '=', 'aws-token-issued')
        .orderBy('audit.at', 'desc')
        .orderBy('audit.id', 'desc')
        .limit(1)
        .select('audit.id')
        .as('token'),
    ])
    .execute();
  const ids = rows.flatMap(({ token }) => (token === null ? [] : [token]));
  if (ids.length === 0) return new Map();
  const tokens = await store
    .selectFrom('audit')
    .where('id', 'in', ids)
    .select(['session_id', 'at', 'detail'])
    .execute();
  return new Map(
    tokens.flatMap(({ session_id, at, detail }) => {
      const { role } = detailOf({ detail });
      return typeof role === 'string' ? [[String(session_id), { role, at }] as const] : [];
    }),
  );
}
