import { chmodSync, closeSync, openSync } from 'node:fs';
import { Kysely, Migrator, SqliteDialect, sql } from 'kysely';
import { migrations } from './migrations/index.ts';
import type { Schema } from './schema.ts';
import { openNodeSqlite } from './sqlite/node-sqlite.ts';

/** The database, whichever engine is behind it. Features write portable SQL through Kysely and nothing else. */
export type Store = Kysely<Schema>;

/**
 * Opens the embedded engine's file (made with mode 0600 if it is not there) and brings its schema up to date.
 *
 * @param file a path, or `:memory:`
 * @throws when the file cannot be opened, or a migration fails; then nothing of that migration is left
 */
export async function openSqliteStore(file: string): Promise<Store> {
  if (file !== ':memory:') {
    // Made first, so that SQLite never creates it (and its WAL) readable to others.
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
  }
  const store = new Kysely<Schema>({ dialect: new SqliteDialect({ database: openNodeSqlite(file) }) });
  try {
    await migrate(store);
  } catch (error) {
    await store.destroy();
    throw error;
  }
  return store;
}

/**
 * In one transaction that has the write lock from its start. Kysely's SQLite adapter locks nothing, and of servers that start
 * together on an empty database each would find it empty.
 */
async function migrate(store: Store): Promise<void> {
  await store.connection().execute(async (connection) => {
    await sql`begin immediate`.execute(connection);
    const migrator = new Migrator({ db: connection, provider: { getMigrations: async () => migrations } });
    const { error } = await migrator.migrateToLatest();
    await (error === undefined ? sql`commit` : sql`rollback`).execute(connection);
    if (error !== undefined) throw error;
  });
}
