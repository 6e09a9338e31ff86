import { readAddress } from '../network/ip-address.ts';
import type { Schema } from '../store/schema.ts';
import { statement } from '../store/statement.ts';
import type { StoreTransaction } from '../store/store.ts';
import { chainHash } from './chain.ts';
import type { AuditEvent, Detail } from './events.ts';

export type { AuditEvent } from './events.ts';

/** Where a request came from. */
export interface RequestSource {
  /** The client's address. */
  ip: string;
  /** The request's ID, which its answer and its line in the log have too. */
  requestId: string;
}

/** Who acts, and from where: the same in all rows of one change. */
export interface By {
  /** A person's address, `cli:<system user>`, `server`, or `unknown` for a stranger. */
  actor: string;
  /** Who became root through sudo to run a command. */
  sudoUser?: string | undefined;
  /** Without it: a command, or the server itself. */
  from?: Partial<RequestSource> | undefined;
}

export interface AuditEntry<Event extends AuditEvent = AuditEvent> extends By {
  event: Event;
  /** The address of the person that it concerns. */
  subject?: string | null;
  machine?: string | null;
  keyId?: string | null;
  sessionId?: string | null;
  /** The default is 'done'. */
  result?: 'done' | 'refused';
  /** Why, as data: one of a few words. */
  reason?: string;
  detail?: Detail<Event>;
}

/** Rows in one insert: SQLite takes 32,766 parameters (sqlite.org/limits.html, section 9). */
const BATCH = 500;

/** Adds a row. It belongs in the transaction of the event, so that neither is stored without the other. */
export function audit<Event extends AuditEvent>(
  transaction: StoreTransaction,
  now: number,
  entry: AuditEntry<Event>,
): Promise<void> {
  return auditAll(transaction, now, [entry]);
}

/**
 * Adds rows to the chain, in this order. The head's row is locked until the transaction ends, so that transactions get their numbers one
 * after the other, on any database.
 *
 * @param now milliseconds since the epoch
 */
export async function auditAll<Event extends AuditEvent>(
  transaction: StoreTransaction,
  now: number,
  entries: readonly AuditEntry<Event>[],
): Promise<void> {
  if (entries.length === 0) return;
  const [head] = await advanceHead(transaction, { rows: entries.length });
  if (head === undefined) throw new Error('the audit trail has no head');
  let id = head.last_id - entries.length;
  let hash = head.last_hash;
  const rows = entries.map((entry) => {
    id += 1;
    const fields = fieldsOf(id, now, entry);
    hash = chainHash(hash, fields);
    return { ...fields, hash };
  });
  const [row, ...others] = rows;
  if (row !== undefined && others.length === 0) {
    await addRow(transaction, row);
    await setHash(transaction, { hash });
    return;
  }
  for (let from = 0; from < rows.length; from += BATCH) {
    await transaction
      .insertInto('audit')
      .values(rows.slice(from, from + BATCH))
      .execute();
  }
  await setHash(transaction, { hash });
}

const advanceHead = statement((store, { rows }: { rows: number }) =>
  store
    .updateTable('audit_head')
    .set((is) => ({ last_id: is('last_id', '+', rows) }))
    .where('id', '=', 1)
    .returning(['last_id', 'last_hash']),
);

const addRow = statement((store, row: Schema['audit']) => {
  const { id, at, event, result, reason, actor, subject, ip, machine, key_id, session_id, request_id, detail, hash } =
    row;
  const [who, where] = [
    { actor, subject },
    { ip, machine, key_id, session_id, request_id },
  ];
  return store.insertInto('audit').values({ id, at, event, result, reason, ...who, ...where, detail, hash });
});

const setHash = statement((store, { hash }: { hash: string }) =>
  store.updateTable('audit_head').set({ last_hash: hash }).where('id', '=', 1),
);

function fieldsOf<Event extends AuditEvent>(
  id: number,
  at: number,
  entry: AuditEntry<Event>,
): Omit<Schema['audit'], 'hash'> {
  return {
    id,
    at,
    event: entry.event,
    result: entry.result ?? 'done',
    reason: entry.reason ?? null,
    actor: storable(entry.actor),
    subject: typeof entry.subject === 'string' ? storable(entry.subject) : null,
    ip: readAddress(entry.from?.ip ?? '') ?? null,
    machine: typeof entry.machine === 'string' ? storable(entry.machine) : null,
    key_id: entry.keyId ?? null,
    session_id: entry.sessionId ?? null,
    request_id: entry.from?.requestId ?? null,
    detail: JSON.stringify({ ...(entry.sudoUser === undefined ? {} : { sudoUser: entry.sudoUser }), ...entry.detail }),
  };
}

/** No database stores half a surrogate pair, and PostgreSQL no U+0000 either: the hash would not fit what it stores instead. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
