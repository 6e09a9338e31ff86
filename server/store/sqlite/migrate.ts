import type { DatabaseSync } from 'node:sqlite';
import { Kysely, Migrator, SqliteDialect, sql } from 'kysely';
import { migrations } from '../migrations/index.ts';
import type { Schema } from '../schema.ts';
import { checkNotNewer, recordOldest } from '../schema-version.ts';
import type { Store } from '../store.ts';
import { LET_CHANGE, MAKE_APPEND_ONLY } from './append-only.ts';
import { readVersion } from './read-version.ts';

/**
 * Brings the schema up to date, in one transaction that takes the write lock first. Kysely's SQLite adapter locks nothing: servers that
 * start together on an empty database would all find it empty. Kysely's own dialect may block here, because no request is served yet.
 *
 * @param name the database's, for people
 * @throws Problem `database-refused` when the schema is a newer version's that this one cannot use
 */
export async function migrate(database: DatabaseSync, name: string): Promise<void> {
  const db = new Kysely<Schema>({
    dialect: new SqliteDialect({
      database: {
        close: () => {},
        prepare(text) {
          const statement = database.prepare(text);
          return {
            reader: statement.columns().length > 0,
            all: (parameters) => statement.all(...(parameters as string[])),
            run: (parameters) => statement.run(...(parameters as string[])),
            iterate: (parameters) => statement.iterate(...(parameters as string[])),
          };
        },
      },
    }),
  });
  await db.connection().execute(async (connection) => {
    await sql`begin immediate`.execute(connection);
    try {
      const version = readVersion(database);
      if (version !== undefined) checkNotNewer(version, name);
      if (!version?.usable) await run(connection, database);
      database.exec(MAKE_APPEND_ONLY);
      await sql`commit`.execute(connection);
    } catch (error) {
      if (database.isTransaction) await sql`rollback`.execute(connection);
      throw error;
    }
  });
}

async function run(connection: Store, database: DatabaseSync): Promise<void> {
  database.exec(LET_CHANGE);
  const migrator = new Migrator({ db: connection, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  await recordOldest(connection);
}
