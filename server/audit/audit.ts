import { readAddress } from '../network/ip-address.ts';
import type { Store } from '../store/store.ts';

/** What is worth knowing a year later, and happens only by somebody who is known; for refusals see refusals.ts. */
export type AuditEvent =
  | 'invited'
  | 'enrolled'
  | 'enrolment-denied'
  | 'signed-in'
  | 'aws-token-issued'
  | 'session-revoked';

export interface AuditEntry {
  event: AuditEvent;
  email?: string | null;
  keyId?: string | null;
  sessionId?: string | null;
  ip?: string | null;
  /** Anything else that helps, of what we know or have checked; never a secret. */
  detail?: Record<string, string | number | boolean | null>;
}

/** Writes one row. Inside a transaction it stands or falls with what it tells of. */
export async function audit(store: Store, now: number, entry: AuditEntry): Promise<void> {
  await store
    .insertInto('audit')
    .values({
      at: now,
      event: entry.event,
      email: entry.email ?? null,
      key_id: entry.keyId ?? null,
      session_id: entry.sessionId ?? null,
      ip: readAddress(entry.ip ?? '') ?? null,
      detail: JSON.stringify(entry.detail ?? {}),
    })
    .execute();
}
