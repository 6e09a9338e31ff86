import { type Kysely, sql } from 'kysely';

/**
 * One row: the oldest version of the server that can use this schema, as the name of the last migration that it knows. So a server of an
 * older version may start, and be rolled back to, while nothing was taken away that it needs.
 *
 * Expands only: instances of the version before go on, and know nothing of it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('schema_version')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('oldest', 'text', (c) => c.notNull())
    .execute();
  await sql`insert into schema_version values (1, '0014_schema_version')`.execute(db);
}
