import { type AuditEntry, auditAll } from '../../server/audit/audit.ts';
import type { Schema } from '../../server/store/schema.ts';
import type { Store } from '../../server/store/store.ts';

/** Rows for tests that need no ceremony. What a test does not name is as in a plain, usable row. */

export const personRow = (id: string, email: string, other: Partial<Schema['people']> = {}): Schema['people'] => ({
  id,
  email,
  user_handle: `handle of ${id}`,
  role: 'member',
  created_at: 1,
  disabled_at: null,
  ends_at: null,
  suggested_at: null,
  ...other,
});

export const keyRow = (id: string, personId: string, other: Partial<Schema['keys']> = {}): Schema['keys'] => ({
  id,
  person_id: personId,
  name: `name of ${id}`,
  model: null,
  aaguid: '00000000-0000-0000-0000-000000000000',
  public_key: '',
  counter: 0,
  transports: '[]',
  attestation: null,
  created_at: 1,
  last_used_at: null,
  removed_at: null,
  ...other,
});

export const sessionRow = (
  id: string,
  personId: string,
  keyId: string,
  other: Partial<Schema['sessions']> = {},
): Schema['sessions'] => ({
  id,
  person_id: personId,
  key_id: keyId,
  grant_id: null,
  machine: null,
  auth_time: 1,
  expires_at: 8_000_000_000_000,
  revoked_at: null,
  end_reason: null,
  suggest_spare: 0,
  ...other,
});

/** Adds rows to the audit trail. */
export function addAudit(store: Store, at: number, ...entries: AuditEntry[]): Promise<void> {
  return store.transaction().execute((transaction) => auditAll(transaction, at, entries));
}

/** Empties the audit trail, as if all rows had been deleted for their age. */
export async function emptyAudit(store: Store): Promise<void> {
  await store.transaction().execute(async (transaction) => {
    await transaction
      .updateTable('audit_head')
      .set((is) => ({ base_id: is.ref('last_id'), base_hash: is.ref('last_hash') }))
      .execute();
    await transaction.deleteFrom('audit').execute();
  });
}
