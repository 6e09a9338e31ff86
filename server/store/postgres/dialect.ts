import {
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  type QueryCompiler,
  type TransactionSettings,
} from 'kysely';
import { PostgresConnection, type PostgresDatabase } from './connection.ts';
import { SameColumnsCompiler } from './query-compiler.ts';

/** Kysely's PostgreSQL dialect with our own connections. */
export class PostgresDialect implements Dialect {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  createDriver(): Driver {
    return new PostgresDriver(this.#database);
  }

  createQueryCompiler(): QueryCompiler {
    return new SameColumnsCompiler();
  }

  createAdapter(): DialectAdapter {
    return new AdapterWithoutLock();
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new PostgresIntrospector(db);
  }
}

/** `migrate.ts` takes a lock of its own, which every database has that speaks PostgreSQL's protocol. */
class AdapterWithoutLock extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}

  override async releaseMigrationLock(): Promise<void> {}
}

class PostgresDriver implements Driver {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new PostgresConnection(this.#database);
  }

  async beginTransaction(connection: PostgresConnection, settings: TransactionSettings): Promise<void> {
    await connection.begin(settings);
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    await connection.rollback();
  }

  async releaseConnection(connection: PostgresConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    await this.#database.pool.end();
  }
}
