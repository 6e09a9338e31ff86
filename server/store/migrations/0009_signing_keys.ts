import { type Kysely, sql } from 'kysely';

/**
 * The states of signing keys, and when they changed.
 *
 * Instances of the version before can go on while it runs: they read the current key and add nothing. They must be over before the first
 * rotation ends, because they never look at the keys again. So the key that is there counts as new: the schedule leaves it alone for as
 * long as any other.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const times = ['published_at', 'signs_from', 'current_at', 'previous_at', 'gone_at', 'revoked_at'];
  for (const time of times) await db.schema.alterTable('signing_keys').addColumn(time, 'bigint').execute();
  await db.schema
    .alterTable('signing_keys')
    .addColumn('source', 'text', (c) => c.notNull().defaultTo('database'))
    .execute();
  await sql`update signing_keys set published_at = created_at`.execute(db);
  await sql`update signing_keys set current_at = ${Date.now()} where state = 'current'`.execute(db);
  // Of two servers that make the next key at once, one wins. signing_keys_current is the same for the current one.
  await db.schema
    .createIndex('signing_keys_next')
    .on('signing_keys')
    .column('state')
    .unique()
    .where('state' as never, '=', 'next')
    .execute();
}
