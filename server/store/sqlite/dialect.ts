import { type DatabaseConnection, type Driver, SqliteDialect, type TransactionSettings } from 'kysely';
import { NodeSqliteConnection, type SqliteDatabase } from './connection.ts';

/**
 * Kysely's SQLite dialect on Node's own SQLite, which blocks the process while it runs a statement. So no statement may wait inside it:
 * `connection.ts` does the waiting for locks.
 */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    super({
      database: async () => {
        throw new Error('the driver below has its own database');
      },
    });
    this.#database = database;
  }

  override createDriver(): Driver {
    return new NodeSqliteDriver(this.#database);
  }
}

class NodeSqliteDriver implements Driver {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new NodeSqliteConnection(this.#database);
  }

  async beginTransaction(connection: NodeSqliteConnection, settings: TransactionSettings): Promise<void> {
    await connection.begin(settings);
  }

  async commitTransaction(connection: NodeSqliteConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: NodeSqliteConnection): Promise<void> {
    connection.rollback();
  }

  async releaseConnection(connection: NodeSqliteConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    await this.#database.close();
  }
}
