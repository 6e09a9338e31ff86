import type { Kysely } from 'kysely';

/** Refusals of an hour, counted until they become rows of the audit trail. No other server is running: several could share a database only later. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit_windows')
    .addColumn('began_at', 'bigint', (c) => c.notNull())
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('problem', 'text', (c) => c.notNull())
    .addColumn('email', 'text', (c) => c.notNull())
    .addColumn('key_id', 'text', (c) => c.notNull())
    .addColumn('count', 'bigint', (c) => c.notNull())
    .addColumn('last_at', 'bigint', (c) => c.notNull())
    .addColumn('last_ip', 'text')
    .addPrimaryKeyConstraint('audit_windows_key', ['began_at', 'event', 'problem', 'email', 'key_id'])
    .execute();
  // Rows are deleted by age, and each new token counts its session's rows.
  await db.schema.createIndex('audit_at').on('audit').column('at').execute();
  await db.schema.createIndex('audit_session').on('audit').columns(['session_id', 'at']).execute();
}
