import { sql } from 'kysely';
import type { Store } from './store.ts';

/** Whether the database answers. @throws when it does not */
export async function checkReadable(store: Store): Promise<void> {
  await store.selectFrom('server').select('id').limit(1).execute();
}

/**
 * Whether the database can be written: a row that is there is changed and committed, as all that is kept here has to be.
 *
 * @param now milliseconds since the epoch
 * @throws StoreUnavailable when the disk is full, the database gone or locked by another program
 */
export async function checkWritable(store: Store, now: number): Promise<void> {
  await store
    .updateTable('server')
    .set({ written_at: sql`${now}` })
    .where('id', '=', 1)
    .execute();
}
