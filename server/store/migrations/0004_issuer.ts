import type { Kysely } from 'kysely';

/**
 * One row: which server this database is of. Keys are enrolled for its issuer's host name, and AWS trusts that issuer. No other server is
 * running: several could share a database only later.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('server')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('issuer', 'text', (c) => c.notNull())
    .addColumn('written_at', 'bigint', (c) => c.notNull())
    .execute();
}
