import type { Kysely } from 'kysely';

/**
 * What the page and the terminal of an enrolment both show, and the terminal's answer: 'yes', 'no', or nothing yet. No other server is
 * running: several could share a database only later.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('enrolments').addColumn('words', 'text').execute();
  await db.schema.alterTable('enrolments').addColumn('answer', 'text').execute();
}
