import type { Store } from './store.ts';

/** How long a finished enrolment can still be asked about, in milliseconds. */
const ENROLMENT_MEMORY_MS = 24 * 3600 * 1000;

/** Deletes what is over and nobody will ask for again. Sessions and audit rows stay. */
export async function sweep(store: Store, now: number): Promise<void> {
  await store.deleteFrom('challenges').where('expires_at', '<=', now).execute();
  await store.deleteFrom('dpop_proofs').where('expires_at', '<=', now).execute();
  await store.deleteFrom('oidc_payloads').where('expires_at', '<=', now).execute();
  await store
    .deleteFrom('enrolments')
    .where('expires_at', '<=', now - ENROLMENT_MEMORY_MS)
    .execute();
}
