import { type DatabaseConnection, type Driver, SqliteDialect } from 'kysely';
import { NodeSqliteConnection, type Shared } from './connection.ts';
import { LOCK_WAIT_MS } from './lock-wait.ts';

/**
 * Kysely's SQLite dialect on Node's own SQLite, which runs a statement at once and blocks. So nothing may wait inside of it: who
 * must wait for a lock does so in `connection.ts`.
 */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #shared: Shared;

  constructor(shared: Shared) {
    super({
      database: async () => {
        throw new Error('the driver below has its own');
      },
    });
    this.#shared = shared;
  }

  override createDriver(): Driver {
    return new NodeSqliteDriver(this.#shared);
  }
}

class NodeSqliteDriver implements Driver {
  readonly #shared: Shared;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new NodeSqliteConnection(this.#shared);
  }

  async beginTransaction(connection: NodeSqliteConnection): Promise<void> {
    await connection.begin();
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
    const { writer, reader, turns } = this.#shared;
    // A transaction under way may end; the last connection to close leaves one file, with everything in it.
    await turns.take(LOCK_WAIT_MS);
    reader.close();
    writer.close();
  }
}
