import type { Kysely } from 'kysely';

/**
 * What instances that share a database have in common: counts of requests, and who does the work that one of them is enough for.
 *
 * Expands only: instances of the version before go on, and know nothing of it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('rate_limits')
    .addColumn('client', 'text', (c) => c.primaryKey())
    .addColumn('hits', 'bigint', (c) => c.notNull())
    .addColumn('ends_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('leases')
    .addColumn('work', 'text', (c) => c.primaryKey())
    .addColumn('holder', 'text', (c) => c.notNull())
    .addColumn('taken_at', 'bigint', (c) => c.notNull())
    .execute();
  // Used proofs are kept for hours, and deleted by age each minute.
  await db.schema.createIndex('dpop_proofs_expiry').on('dpop_proofs').column('expires_at').execute();
}
