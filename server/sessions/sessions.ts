import { auditAll, type By } from '../audit/audit.ts';
import type { EndReason, PersonRole } from '../store/schema.ts';
import { notShutOut } from '../store/shut-out.ts';
import { statement } from '../store/statement.ts';
import type { Store, StoreTransaction } from '../store/store.ts';

/** A session that can be used, with the person and the key behind it. */
export interface ActiveSession {
  id: string;
  personId: string;
  email: string;
  role: PersonRole;
  machine: string | null;
  keyId: string;
  keyName: string;
  keyModel: string | null;
  authTime: number;
  expiresAt: number;
  /** 1 when its sign-in advised the person to add a spare key. */
  suggestSpare: number;
}

/** Sessions that are neither over nor revoked, whose person is neither disabled nor past their end date, and whose key is not removed. */
export function activeSessions(store: Store, now: number) {
  return store
    .selectFrom('sessions')
    .innerJoin('people', 'people.id', 'sessions.person_id')
    .innerJoin('keys', 'keys.id', 'sessions.key_id')
    .where('sessions.revoked_at', 'is', null)
    .where('sessions.expires_at', '>', now)
    .where(notShutOut(now))
    .where('keys.removed_at', 'is', null)
    .select([
      'sessions.id as id',
      'sessions.machine as machine',
      'people.id as personId',
      'people.email as email',
      'people.role as role',
      'keys.id as keyId',
      'keys.name as keyName',
      'keys.model as keyModel',
      'sessions.auth_time as authTime',
      'sessions.expires_at as expiresAt',
      'sessions.suggest_spare as suggestSpare',
    ]);
}

/**
 * Starts a session. `authTime`, the touch, and `expiresAt` are in milliseconds since the epoch. The session ends at the
 * person's end date at the latest.
 */
export async function startSession(
  store: Store,
  session: {
    id: string;
    personId: string;
    keyId: string;
    machine: string | null;
    authTime: number;
    expiresAt: number;
    suggestSpare: boolean;
    /** The OAuth grant that belongs to this session alone. */
    grantId: string;
  },
): Promise<void> {
  await insertSession(store, { ...session, suggestSpare: session.suggestSpare ? 1 : 0 });
}

const insertSession = statement(
  (
    store,
    session: {
      id: string;
      personId: string;
      keyId: string;
      machine: string | null;
      authTime: number;
      expiresAt: number;
      suggestSpare: number;
      grantId: string;
    },
  ) =>
    store.insertInto('sessions').values((is) => ({
      id: session.id,
      person_id: session.personId,
      key_id: session.keyId,
      grant_id: session.grantId,
      machine: session.machine,
      auth_time: session.authTime,
      expires_at: is
        .selectFrom('people')
        .where('id', '=', session.personId)
        .select(({ eb }) =>
          eb
            .case()
            .when('ends_at', '<', session.expiresAt)
            .then(eb.ref('ends_at').$castTo<number>())
            .else(session.expiresAt)
            .end()
            .as('end'),
        ),
      revoked_at: null,
      end_reason: null,
      suggest_spare: session.suggestSpare,
    })),
);

/** The session with this ID, if it is active. */
export async function findActiveSession(store: Store, id: string, now: number): Promise<ActiveSession | undefined> {
  return (await activeWithId(store, { id, now }))[0];
}

const activeWithId = statement((store, { id, now }: { id: string; now: number }) =>
  activeSessions(store, now).where('sessions.id', '=', id),
);

/** Which of these sessions are active. @param ids not more than one statement can name */
export async function activeAmong(store: Store, ids: readonly string[], now: number): Promise<Set<string>> {
  const rows = await activeSessions(store, now)
    .clearSelect()
    .select('sessions.id')
    .where('sessions.id', 'in', ids)
    .execute();
  return new Set(rows.map(({ id }) => id));
}

/** The session that an OAuth grant belongs to, if it is active. */
export async function findSessionOfGrant(
  store: Store,
  grantId: string,
  now: number,
): Promise<ActiveSession | undefined> {
  return (await activeWithGrant(store, { grantId, now }))[0];
}

const activeWithGrant = statement((store, { grantId, now }: { grantId: string; now: number }) =>
  activeSessions(store, now).where('sessions.grant_id', '=', grantId),
);

export interface EndedSession {
  id: string;
  email: string;
  machine: string | null;
}

/**
 * Ends sessions at once, each with its row in the audit trail. Sessions that are over already stay as they are.
 *
 * @param which one session (perhaps only if it is this person's), one grant's, all of a person (perhaps except one) or of a key, those that
 * a touch began in a time (in milliseconds since the epoch), or all that there are
 * @param why `actor` is who ends them: without it, each session's own person
 * @returns the sessions that this ended
 */
export async function endSessions(
  transaction: StoreTransaction,
  now: number,
  which:
    | { id: string; personId?: string }
    | { grantId: string }
    | { personId: string; except?: string }
    | { keyId: string }
    | { touchedFrom: number; touchedUntil: number }
    | 'all',
  why: { reason: EndReason } & Partial<By>,
): Promise<EndedSession[]> {
  const rows = await transaction
    .updateTable('sessions')
    .set({ revoked_at: now, end_reason: why.reason })
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .where((is) => {
      if (which === 'all') return is.lit(true);
      if ('id' in which) {
        const { id, personId } = which;
        return is.and(personId === undefined ? { id } : { id, person_id: personId });
      }
      if ('grantId' in which) return is('grant_id', '=', which.grantId);
      if ('keyId' in which) return is('key_id', '=', which.keyId);
      if ('touchedFrom' in which) return is.between('auth_time', which.touchedFrom, which.touchedUntil);
      const theirs = is('person_id', '=', which.personId);
      return which.except === undefined ? theirs : is.and([theirs, is('id', '!=', which.except)]);
    })
    .returning((is) => [
      'id',
      'key_id',
      'machine',
      is.selectFrom('people').select('email').whereRef('people.id', '=', 'sessions.person_id').as('email'),
    ])
    .execute();
  const ended = rows.map((row) => ({ ...row, email: String(row.email) }));
  await auditAll(
    transaction,
    now,
    ended.map((row) => ({
      event: 'session-ended' as const,
      actor: why.actor ?? row.email,
      subject: row.email,
      from: why.from,
      sudoUser: why.sudoUser,
      machine: row.machine,
      keyId: row.key_id,
      sessionId: row.id,
      reason: why.reason,
    })),
  );
  return ended.map(({ id, email, machine }) => ({ id, email, machine }));
}

/** The same, in a transaction of its own. */
export function endSessionsNow(store: Store, ...rest: Tail<Parameters<typeof endSessions>>): Promise<EndedSession[]> {
  return store.transaction().execute((transaction) => endSessions(transaction, ...rest));
}

type Tail<List extends unknown[]> = List extends [unknown, ...infer Rest] ? Rest : never;
