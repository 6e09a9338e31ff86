import type { Kysely } from 'kysely';

/**
 * Indexes for reading the audit trail by person, event or actor, in the trail's order. They hold time and event too, so that rows of
 * another time or event are passed over without being read. No other server is running: several could share a database only later.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('audit_subject').execute();
  await db.schema.dropIndex('audit_event').execute();
  await db.schema.createIndex('audit_subject').on('audit').columns(['subject', 'id', 'at', 'event']).execute();
  await db.schema.createIndex('audit_event').on('audit').columns(['event', 'id', 'at']).execute();
  await db.schema.createIndex('audit_actor').on('audit').columns(['actor', 'id', 'at', 'event']).execute();
}
