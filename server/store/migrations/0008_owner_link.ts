import { type Kysely, sql } from 'kysely';

/**
 * Marks the enrolments that the first owner's link began. Before, only the name of their client told them apart. No other server is running:
 * several could share a database only later.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('enrolments')
    .addColumn('owner_link', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await sql`update enrolments set owner_link = 1 where client = 'a link that the server printed'`.execute(db);
}
