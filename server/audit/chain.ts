import { hash } from '../secrets.ts';
import type { Schema } from '../store/schema.ts';

/** A row of the audit trail without its hash. */
export type ChainedFields = Omit<Schema['audit'], 'hash'>;

/**
 * A row's hash: SHA-256 of the hash before it (empty for the first row) and of all its fields as a JSON array. So nobody can change,
 * remove or reorder rows without changing all hashes that follow.
 *
 * @param before the hash of the row before
 */
export function chainHash(before: string, row: ChainedFields): string {
  const fields = [
    row.id,
    row.at,
    row.event,
    row.result,
    row.reason,
    row.actor,
    row.subject,
    row.ip,
    row.machine,
    row.key_id,
    row.session_id,
    row.request_id,
    row.detail,
  ];
  return hash(`${before}\n${JSON.stringify(fields)}`);
}
