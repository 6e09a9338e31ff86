import { readAddress } from '../network/ip-address.ts';
import type { Store } from '../store/store.ts';

/** Events that are worth knowing a year later. Only known people can cause them; refusals are in refusals.ts. */
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
  /** Anything else that helps, if we know it or have checked it; never a secret. */
  detail?: Record<string, string | number | boolean | null>;
}

/** Writes one row. Call it in the transaction of the event, so that neither is stored without the other. */
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
