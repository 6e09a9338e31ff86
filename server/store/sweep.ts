import type { Store } from './store.ts';

/** How long a finished enrolment can still be asked about, in milliseconds. */
const ENROLMENT_MEMORY_MS = 24 * 3600 * 1000;

const DAY_MS = 24 * 3600 * 1000;

/**
 * Deletes what is over and nobody will ask for again, and of the audit tables what is older than it need be. Sessions stay.
 *
 * @param auditDays how many days audit rows are kept
 */
export async function sweep(store: Store, now: number, auditDays: number): Promise<void> {
  const forgotten = now - auditDays * DAY_MS;
  await store.deleteFrom('audit').where('at', '<=', forgotten).execute();
  await store.deleteFrom('audit_windows').where('last_at', '<=', forgotten).execute();
  await store.deleteFrom('challenges').where('expires_at', '<=', now).execute();
  await store.deleteFrom('dpop_proofs').where('expires_at', '<=', now).execute();
  await store.deleteFrom('oidc_payloads').where('expires_at', '<=', now).execute();
  await store
    .deleteFrom('enrolments')
    .where('expires_at', '<=', now - ENROLMENT_MEMORY_MS)
    .execute();
}
