import type { DatabaseSync } from 'node:sqlite';
import { Kysely, Migrator, SqliteDialect, sql } from 'kysely';
import { migrations } from '../migrations/index.ts';
import type { Schema } from '../schema.ts';
import { LET_CHANGE, MAKE_APPEND_ONLY } from './append-only.ts';

/**
 * Brings the schema up to date, in one transaction that takes the write lock first. Kysely's SQLite adapter locks nothing: servers that
 * start together on an empty database would all find it empty. Kysely's own dialect may block here, because no request is served yet.
 */
export async function migrate(database: DatabaseSync): Promise<void> {
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
    const migrator = new Migrator({ db: connection, provider: { getMigrations: async () => migrations } });
    const isNew = (await migrator.getMigrations()).some(({ executedAt }) => executedAt === undefined);
    if (isNew) database.exec(LET_CHANGE);
    const { error } = await migrator.migrateToLatest();
    if (error === undefined) {
      database.exec(MAKE_APPEND_ONLY);
      await sql`commit`.execute(connection);
      return;
    }
    if (database.isTransaction) await sql`rollback`.execute(connection);
    throw error;
  });
}
