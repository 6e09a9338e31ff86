import { type Kysely, sql } from 'kysely';

/**
 * What AWS would have read when a server last looked at its public documents, in one row, and which issuer AWS's tokens name.
 *
 * Expands only: instances of the version before go on, and know nothing of it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('public_documents')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('aws_issuer', 'text', (c) => c.notNull())
    .addColumn('looked_at', 'bigint', (c) => c.notNull())
    .addColumn('found', 'text', (c) => c.notNull())
    .execute();
  await db.schema.alterTable('server').addColumn('aws_issuer', 'text').execute();
  await sql`update server set aws_issuer = issuer`.execute(db);
}
