import { detailOf } from '../audit/json.ts';
import type { Store } from '../store/store.ts';
import type { Caller } from './caller.ts';

/** How many events one answer has. */
const PAGE = 30;

/** Something that a person did, or that happened to them. */
export interface HistoryEvent {
  /** Grows with time. */
  id: number;
  /** Milliseconds since the epoch. */
  at: number;
  event: string;
  result: 'done' | 'refused';
  reason: string | null;
  /** Never another person's address, nor the name of an account on the server's machine. */
  by: 'you' | 'administrator' | 'server' | 'unknown';
  machine: string | null;
  /** Where it was done from; null if it was by somebody else who is known. */
  ip: string | null;
  /** The name of the key that it is about: at that time if the event has it, otherwise its present one. */
  keyName: string | null;
  /** For `aws-token-issued`: the role's ARN. */
  role: string | null;
  /** For `aws-token-issued`: the name of the lend that it was for, if it was for one. */
  lent: string | null;
  /** For `signed-in`: whether its code was pasted into the terminal. */
  byPaste: boolean;
  /** For `invited`: whether the key that it lets in replaces all others. */
  replacesKeys: boolean;
}

/**
 * The caller's own rows of the audit trail, the latest first, a page at a time. The rows of a removed person
 * who had the address before are not theirs.
 *
 * @param before the ID that the next page begins before; undefined for the first page
 * @returns the events, and where the next page begins, if there is one
 */
export async function listHistory(
  store: Store,
  { email, personId }: Caller,
  before: number | undefined,
): Promise<{ events: HistoryEvent[]; before: number | null }> {
  const rows = await store
    .selectFrom('audit')
    .leftJoin('keys', (join) => join.onRef('keys.id', '=', 'audit.key_id').on('keys.person_id', '=', personId))
    .where('audit.subject', '=', email)
    .where('audit.id', '>', lastRemoval(store, email))
    .$if(before !== undefined, (query) => query.where('audit.id', '<', Number(before)))
    .orderBy('audit.id', 'desc')
    .limit(PAGE + 1)
    .select([
      'audit.id',
      'audit.at',
      'audit.event',
      'audit.result',
      'audit.reason',
      'audit.actor',
      'audit.machine',
      'audit.ip',
      'audit.detail',
      'keys.name as keyName',
    ])
    .execute();
  const events = rows.slice(0, PAGE).map(({ actor, detail, ...row }): HistoryEvent => {
    const by = actor === email ? 'you' : actor === 'server' || actor === 'unknown' ? actor : 'administrator';
    const { role, name, lent, replaceKeys, paste } = detailOf({ detail });
    return {
      ...row,
      by,
      ip: by === 'you' || by === 'unknown' ? row.ip : null,
      keyName: typeof name === 'string' ? name : row.keyName,
      role: row.event === 'aws-token-issued' && typeof role === 'string' ? role : null,
      lent: row.event === 'aws-token-issued' && typeof lent === 'string' ? lent : null,
      byPaste: row.event === 'signed-in' && paste === true,
      replacesKeys: row.event === 'invited' && replaceKeys === true,
    };
  });
  return { events, before: rows.length > PAGE ? (events.at(-1)?.id ?? null) : null };
}

/** The number of the row that tells of the last removal of a person with this address; 0 without one. */
const lastRemoval = (store: Store, email: string) =>
  store
    .selectFrom('audit')
    .where('event', '=', 'person-removed')
    // Within `coalesce`, so that SQLite takes the index of the event: removals are few, and a person's rows may be many.
    .where((is) => is(is.fn.coalesce('subject', is.val('')), '=', email))
    .select((is) => is.fn.coalesce(is.fn.max<number>('id'), is.val(0)).as('id'));
