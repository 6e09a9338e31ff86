import type { Store } from '../store/store.ts';

/** What is worth knowing a year later. */
export type AuditEvent =
  | 'invited'
  | 'enrolled'
  | 'enrolment-refused'
  | 'signed-in'
  | 'sign-in-refused'
  | 'aws-token-issued'
  | 'session-revoked';

export interface AuditEntry {
  event: AuditEvent;
  email?: string | null;
  keyId?: string | null;
  sessionId?: string | null;
  ip?: string | null;
  /** Anything else that helps; never a secret. */
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
      ip: entry.ip ?? null,
      detail: JSON.stringify(entry.detail ?? {}),
    })
    .execute();
}
