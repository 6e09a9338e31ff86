import { isoTime } from '../text/iso-time.ts';
import type { Row } from './rows.ts';

/** A row as programs get it. With `at` in milliseconds and `detail` as text, its hash can be computed again (chain.ts). */
export function rowJson(row: Row) {
  return {
    id: row.id,
    at: isoTime(Number(row.at)),
    event: row.event,
    result: row.result,
    reason: row.reason,
    actor: row.actor,
    subject: row.subject,
    ip: row.ip,
    machine: row.machine,
    keyId: row.key_id,
    sessionId: row.session_id,
    requestId: row.request_id,
    detail: detailOf(row),
    hash: row.hash,
  };
}

/** A row's detail. A text that is no JSON, which somebody else must have written, is its own only member. */
export function detailOf({ detail }: Pick<Row, 'detail'>): Record<string, unknown> {
  try {
    return Object(JSON.parse(detail)) as Record<string, unknown>;
  } catch {
    return { text: detail };
  }
}
