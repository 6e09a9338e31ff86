import { Migrator, sql } from 'kysely';
import { Problem } from '../../problem/problem.ts';
import { migrations } from '../migrations/index.ts';
import { checkNotNewer, recordOldest, type SchemaVersion, schemaVersion } from '../schema-version.ts';
import type { Store } from '../store.ts';
import { LET_CHANGE, MAKE_APPEND_ONLY } from './append-only.ts';
import { sqlState, wasLocked } from './trouble.ts';

/** How often a migration is tried that got no lock: it never makes others wait for longer than one lock's time. */
const ATTEMPTS = 6;

/** insufficient_privilege */
const NOT_ALLOWED = '42501';

/** Reads which version's schema the database has; undefined when it is not Vouch's. */
export async function readVersion(store: Store): Promise<SchemaVersion | undefined> {
  if (!(await hasTable(store, 'kysely_migration'))) return undefined;
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(store);
  const row = (await hasTable(store, 'schema_version'))
    ? await store.selectFrom('schema_version').select('oldest').executeTakeFirst()
    : undefined;
  return schemaVersion(
    rows.map(({ name }) => name),
    row?.oldest,
  );
}

/**
 * Brings the schema up to date, in one transaction. Instances that start together take turns: each locks the one row of a table of its own,
 * because not every database that speaks PostgreSQL's protocol has advisory locks. Changes nothing when there is nothing to do, so that
 * such a start needs no right to change tables.
 *
 * @param store waits for an answer for as long as it takes
 * @param name the database's, for people
 * @throws Problem `database-refused` when the schema is a newer version's that this one cannot use, or when the user may not change it
 * @throws when a migration fails; the schema is then as before
 */
export async function migrate(store: Store, name: string): Promise<void> {
  const version = await readVersion(store);
  if (version !== undefined) checkNotNewer(version, name);
  if (version?.usable) return;
  try {
    await makeLock(store);
    await inTurn(store, name);
  } catch (error) {
    if (sqlState(error) !== NOT_ALLOWED) throw error;
    throw new Problem({
      kind: 'database-refused',
      what: `The schema of ${name} is not up to date, and its user may not change it.`,
      fix: 'Run `vouch-server migrate` as the user who owns the tables.',
      cause: error,
    });
  }
}

async function inTurn(store: Store, name: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await store.connection().execute((connection) => inTransaction(connection, name));
      return;
    } catch (error) {
      if (attempt === ATTEMPTS || !wasLocked(error)) throw error;
    }
  }
}

async function hasTable(store: Store, table: string): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`select to_regclass(${table}) is not null as found`.execute(store);
  return rows[0]?.found === true;
}

async function makeLock(store: Store): Promise<void> {
  try {
    await sql`create table if not exists vouch_migrating (id integer primary key)`.execute(store);
  } catch (error) {
    // `if not exists` still fails for one of two that make it at once.
    if (!(await hasTable(store, 'vouch_migrating'))) throw error;
  }
  await sql`insert into vouch_migrating values (1) on conflict do nothing`.execute(store);
}

async function inTransaction(connection: Store, name: string): Promise<void> {
  await sql`begin`.execute(connection);
  try {
    // Others' migrations and large tables take their time.
    await sql`set local statement_timeout = 0`.execute(connection);
    await sql`set local lock_timeout = 0`.execute(connection);
    await sql`select id from vouch_migrating where id = 1 for update`.execute(connection);
    await sql`set local lock_timeout = '5s'`.execute(connection);
    await run(connection, name);
    await sql`commit`.execute(connection);
  } catch (error) {
    await sql`rollback`.execute(connection).catch(() => {});
    throw error;
  }
}

async function run(connection: Store, name: string): Promise<void> {
  const version = await readVersion(connection);
  if (version !== undefined) checkNotNewer(version, name);
  if (version?.usable) return;
  const all = async (statements: readonly string[]) => {
    for (const statement of statements) await sql.raw(statement).execute(connection);
  };
  if (await hasTable(connection, 'audit')) await all(LET_CHANGE);
  const migrator = new Migrator({
    db: connection,
    provider: { getMigrations: async () => migrations },
    disableTransactions: true,
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  await recordOldest(connection);
  await all(MAKE_APPEND_ONLY);
}
