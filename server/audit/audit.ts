import { readAddress } from '../network/ip-address.ts';
import type { Schema } from '../store/schema.ts';
import type { StoreTransaction } from '../store/store.ts';
import { chainHash } from './chain.ts';

/** Events that are worth knowing a year later. Only known people and administrators can cause them; refusals are in refusals.ts. */
export type AuditEvent =
  | 'invited'
  | 'invitation-revoked'
  | 'enrolled'
  | 'enrolment-denied'
  | 'signed-in'
  | 'session-ended'
  | 'aws-token-issued'
  | 'person-disabled'
  | 'person-enabled'
  | 'person-removed'
  | 'person-promoted'
  | 'person-demoted'
  | 'person-end-set'
  | 'key-removed'
  | 'key-renamed';

/** Where a request came from. */
export interface RequestSource {
  /** The client's address. */
  ip: string;
  /** The request's ID, which its answer and its line in the log have too. */
  requestId: string;
}

export interface AuditEntry {
  event: AuditEvent;
  /** Who did it: a person's address, `cli:<system user>`, or `server`. */
  actor: string;
  /** The address of whom it concerns. */
  subject?: string | null;
  /** Without it: a command, or the server itself. */
  from?: RequestSource | undefined;
  machine?: string | null;
  keyId?: string | null;
  sessionId?: string | null;
  /** The default is 'done'. */
  result?: 'done' | 'refused';
  /** Why, as data: one of a few words. */
  reason?: string;
  /** Anything else that helps, if we know it or have checked it; never a secret. */
  detail?: Record<string, string | number | boolean | null>;
}

/** Rows in one insert: SQLite takes 32,766 parameters (sqlite.org/limits.html, section 9). */
const BATCH = 500;

/** Adds a row. It belongs into the transaction of the event, so that neither is stored without the other. */
export function audit(transaction: StoreTransaction, now: number, entry: AuditEntry): Promise<void> {
  return auditAll(transaction, now, [entry]);
}

/**
 * Adds rows to the chain, in this order. The head's row is locked until the transaction ends, so that transactions get their numbers one
 * after the other, on any database.
 *
 * @param now milliseconds since the epoch
 */
export async function auditAll(
  transaction: StoreTransaction,
  now: number,
  entries: readonly AuditEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  const head = await transaction
    .updateTable('audit_head')
    .set((is) => ({ last_id: is('last_id', '+', entries.length) }))
    .where('id', '=', 1)
    .returning(['last_id', 'last_hash'])
    .executeTakeFirstOrThrow();
  let id = head.last_id - entries.length;
  let hash = head.last_hash;
  const rows = entries.map((entry) => {
    id += 1;
    const fields = fieldsOf(id, now, entry);
    hash = chainHash(hash, fields);
    return { ...fields, hash };
  });
  for (let from = 0; from < rows.length; from += BATCH) {
    await transaction
      .insertInto('audit')
      .values(rows.slice(from, from + BATCH))
      .execute();
  }
  await transaction.updateTable('audit_head').set({ last_hash: hash }).where('id', '=', 1).execute();
}

function fieldsOf(id: number, at: number, entry: AuditEntry): Omit<Schema['audit'], 'hash'> {
  return {
    id,
    at,
    event: entry.event,
    result: entry.result ?? 'done',
    reason: entry.reason ?? null,
    actor: entry.actor,
    subject: entry.subject ?? null,
    ip: readAddress(entry.from?.ip ?? '') ?? null,
    machine: entry.machine ?? null,
    key_id: entry.keyId ?? null,
    session_id: entry.sessionId ?? null,
    request_id: entry.from?.requestId ?? null,
    detail: JSON.stringify(entry.detail ?? {}),
  };
}
