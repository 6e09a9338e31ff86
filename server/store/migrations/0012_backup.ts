import type { Kysely } from 'kysely';

/**
 * Lets a copy of the database say that it is one, and of when. Servers of the version before may go on while this runs, and afterwards:
 * they do not read the column.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('server').addColumn('backed_up_at', 'bigint').execute();
}
