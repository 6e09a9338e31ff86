import { detailOf } from '../audit/json.ts';
import { type ListedSession, listSessions } from '../sessions/list.ts';
import type { PersonRole, Schema } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { webSessionsOf } from '../web-sessions/web-sessions.ts';
import { knownPerson } from './known-person.ts';
import { type ListedKey, listKeys } from './list-keys.ts';
import { type ListedPerson, listPeople } from './list-people.ts';
import { isOpen } from './open-invitations.ts';

/** The most keys and sessions that are shown. */
const MOST = 100;

/** How many of the last events are shown, and among how many of the person's last rows they are looked for. */
const EVENTS = 10;
const LOOKED_AT = 1_000;

/** Everything about one person. */
export interface PersonShown extends ListedPerson {
  /** Why the person is disabled, in the administrator's words. */
  disabledText: string | null;
  keyList: ListedKey[];
  sessions: ListedSession[];
  /** Browsers that have my account open. */
  browsers: OpenBrowser[];
  invitation: OpenInvitation | null;
  /** What last concerned the person, the newest first. */
  events: ShownEvent[];
}

export interface OpenBrowser {
  browser: string | null;
  ip: string | null;
  /** The last request, to half a minute. */
  seenAt: number;
}

export interface OpenInvitation {
  role: PersonRole;
  replaceKeys: boolean;
  invitedBy: string;
  expiresAt: number;
}

export type ShownEvent = Pick<Schema['audit'], 'at' | 'event' | 'result' | 'reason' | 'actor' | 'ip' | 'machine'> & {
  detail: Record<string, unknown>;
};

/**
 * Shows a person.
 *
 * @throws Problem `person-unknown`
 */
export async function showPerson(store: Store, now: number, address: string): Promise<PersonShown> {
  const { id, email } = await knownPerson(store, address);
  const [listed] = (await listPeople(store, now, { id }, { limit: 1 })).rows;
  // Removed since the line before.
  if (listed === undefined) return showPerson(store, now, address);
  return {
    ...listed,
    disabledText: listed.state === 'disabled' ? await disabledText(store, email) : null,
    keyList: (await listKeys(store, { personId: id }, { limit: MOST })).rows,
    sessions: (await listSessions(store, now, id, { limit: MOST })).rows,
    browsers: (await webSessionsOf(store, id, now)).map(({ browser, ip, seenAt }) => ({ browser, ip, seenAt })),
    invitation: await openInvitation(store, now, email),
    events: await lastEvents(store, email),
  };
}

async function disabledText(store: Store, email: string): Promise<string | null> {
  const row = await eventsOf(store, email)
    .where('event', '=', 'person-disabled')
    .select('detail')
    .limit(1)
    .executeTakeFirst();
  const { text } = row === undefined ? {} : detailOf(row);
  return typeof text === 'string' ? text : null;
}

async function openInvitation(store: Store, now: number, email: string): Promise<OpenInvitation | null> {
  const row = await store
    .selectFrom('invitations')
    .where('email', '=', email)
    .where(isOpen(now))
    .orderBy('created_at', 'desc')
    .select(['role', 'replace_keys', 'invited_by', 'expires_at'])
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    role: row.role,
    replaceKeys: row.replace_keys === 1,
    invitedBy: row.invited_by,
    expiresAt: row.expires_at,
  };
}

/** Without the tokens for AWS, which would hide all else: the sessions say the last role. */
async function lastEvents(store: Store, email: string): Promise<ShownEvent[]> {
  const rows = await store
    .selectFrom(eventsOf(store, email).selectAll().limit(LOOKED_AT).as('events'))
    .where('event', '!=', 'aws-token-issued')
    .orderBy('id', 'desc')
    .select(['at', 'event', 'result', 'reason', 'actor', 'ip', 'machine', 'detail'])
    .limit(EVENTS)
    .execute();
  return rows.map((row) => ({ ...row, detail: detailOf(row) }));
}

const eventsOf = (store: Store, email: string) =>
  store.selectFrom('audit').where('subject', '=', email).orderBy('id', 'desc');
