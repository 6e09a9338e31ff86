import type { Kysely } from 'kysely';

/**
 * One row: the latest edition of FIDO's metadata, so that a start without the network knows it, and no older one is taken for new. No other
 * server is running: several could share a database only later.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('fido_metadata')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('number', 'bigint', (c) => c.notNull())
    .addColumn('blob', 'text', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('fetched_at', 'bigint', (c) => c.notNull())
    .execute();
}
