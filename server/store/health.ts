import { sql } from 'kysely';
import type { Store } from './store.ts';

/** @throws when the database does not answer */
export async function checkReadable(store: Store): Promise<void> {
  await store.selectFrom('server').select('id').limit(1).execute();
}

/**
 * Makes sure that the database can be written: changes an existing row and commits it, as every write must.
 *
 * @param now milliseconds since the epoch
 * @throws StoreUnavailable when the disk is full, the database is gone, or another program has locked it
 */
export async function checkWritable(store: Store, now: number): Promise<void> {
  await store
    .updateTable('server')
    .set({ written_at: sql`${now}` })
    .where('id', '=', 1)
    .execute();
}
