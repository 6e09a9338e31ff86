import { Migrator, sql } from 'kysely';
import { migrations } from '../migrations/index.ts';
import type { Store } from '../store.ts';
import { LET_CHANGE, MAKE_APPEND_ONLY } from './append-only.ts';
import { wasLocked } from './trouble.ts';

/** How often a migration is tried that got no lock: it never makes others wait for longer than one lock's time. */
const ATTEMPTS = 6;

/** The names of the migrations that the database has had, in order; undefined when it is not Vouch's. */
export async function migrationsDone(store: Store): Promise<string[] | undefined> {
  const { rows } = await sql<{ found: boolean }>`select to_regclass('kysely_migration') is not null as found`.execute(
    store,
  );
  if (rows[0]?.found !== true) return undefined;
  const done = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(store);
  return done.rows.map(({ name }) => name);
}

/**
 * Brings the schema up to date, in one transaction. Instances that start together take turns: each locks the one row of a table of its own,
 * because not every database that speaks PostgreSQL's protocol has advisory locks. Changes nothing when there is nothing to do, so that
 * such a start needs no right to change tables.
 *
 * @throws when a migration fails; the schema is then as before
 */
export async function migrate(store: Store): Promise<void> {
  if (isCurrent(await migrationsDone(store))) return;
  await makeLock(store);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await store.connection().execute(inTransaction);
      return;
    } catch (error) {
      if (attempt === ATTEMPTS || !wasLocked(error)) throw error;
    }
  }
}

function isCurrent(done: readonly string[] | undefined): boolean {
  return done?.join() === Object.keys(migrations).sort().join();
}

async function makeLock(store: Store): Promise<void> {
  try {
    await sql`create table if not exists vouch_migrating (id integer primary key)`.execute(store);
    await sql`insert into vouch_migrating values (1) on conflict do nothing`.execute(store);
  } catch (error) {
    // `if not exists` still fails for one of two that make it at once.
    const { rows } = await sql<{ found: boolean }>`select to_regclass('vouch_migrating') is not null as found`.execute(
      store,
    );
    if (rows[0]?.found !== true) throw error;
    await sql`insert into vouch_migrating values (1) on conflict do nothing`.execute(store);
  }
}

async function inTransaction(connection: Store): Promise<void> {
  await sql`begin`.execute(connection);
  try {
    // Others' migrations and large tables take their time.
    await sql`set local statement_timeout = 0`.execute(connection);
    await sql`set local lock_timeout = 0`.execute(connection);
    await sql`select id from vouch_migrating where id = 1 for update`.execute(connection);
    await sql`set local lock_timeout = '5s'`.execute(connection);
    await run(connection);
    await sql`commit`.execute(connection);
  } catch (error) {
    await sql`rollback`.execute(connection).catch(() => {});
    throw error;
  }
}

async function run(connection: Store): Promise<void> {
  const done = await migrationsDone(connection);
  if (isCurrent(done)) return;
  const all = async (statements: readonly string[]) => {
    for (const statement of statements) await sql.raw(statement).execute(connection);
  };
  const hasAudit = done !== undefined && done.length > 0;
  if (hasAudit) await all(LET_CHANGE);
  const migrator = new Migrator({
    db: connection,
    provider: { getMigrations: async () => migrations },
    disableTransactions: true,
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  await all(MAKE_APPEND_ONLY);
}
