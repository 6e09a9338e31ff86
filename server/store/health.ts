import { sql } from 'kysely';
import { migrations } from './migrations/index.ts';
import type { Store } from './store.ts';

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

/**
 * Makes sure that the database has had all migrations of this version. It may have had more: while a newer version is rolled out, the
 * instances of this one go on.
 *
 * @throws when one is missing
 */
export async function checkMigrated(store: Store): Promise<void> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(store);
  const done = new Set(rows.map(({ name }) => name));
  const missing = Object.keys(migrations).filter((name) => !done.has(name));
  if (missing.length > 0) throw new Error(`the database lacks ${missing.join(', ')}`);
}
