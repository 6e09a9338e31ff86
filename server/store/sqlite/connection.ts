import type { DatabaseSync } from 'node:sqlite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  DeleteQueryNode,
  InsertQueryNode,
  type QueryResult,
  SelectQueryNode,
  type TransactionSettings,
  UpdateQueryNode,
} from 'kysely';
import { LOCK_WAIT_MS, retryWhileLocked } from './lock-wait.ts';
import { Statements } from './statements.ts';
import type { Writer } from './writer.ts';

/** One open database, which all of Kysely's connections share. */
export class SqliteDatabase {
  readonly writer: Writer;
  /** Opens one more connection that only reads. */
  readonly openReader: () => DatabaseSync;
  readonly #reader: DatabaseSync;
  /** The statements of the connection that only reads. */
  readonly reader: Statements;

  constructor(writer: Writer, openReader: () => DatabaseSync) {
    this.writer = writer;
    this.openReader = openReader;
    this.#reader = openReader();
    this.reader = new Statements(this.#reader);
  }

  async close(): Promise<void> {
    await this.writer.close(() => this.#reader.close());
  }
}

/**
 * Runs Kysely's statements. Reads use a connection of their own, which no write blocks; writes and whole transactions take turns on
 * the other one. A transaction that only reads has a connection to itself, so that nobody else sees its old state.
 */
export class NodeSqliteConnection implements DatabaseConnection {
  readonly #database: SqliteDatabase;
  #inTransaction = false;
  /** Whether it had a transaction, which has ended or is about to. */
  #isOver = false;
  #snapshot: { connection: DatabaseSync; statements: Statements } | undefined;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { reader, writer } = this.#database;
    // It comes too late, and would be stored alone.
    if (this.#isOver) throw new Error('the transaction is over');
    // A transaction must see what it has written itself.
    if (this.#inTransaction) return writer.run<Row>(query);
    if (this.#snapshot !== undefined) return read<Row>(this.#snapshot.statements, query);
    if (SelectQueryNode.is(query.query)) return read<Row>(reader, query);
    if (isChange(query)) return writer.write<Row>(query);
    return writer.runAlone<Row>(query);
  }

  /** Takes the write lock at once, unless it only reads: a transaction that reads first and then fails to get the lock could not go on. */
  async begin({ accessMode }: TransactionSettings): Promise<void> {
    if (accessMode === 'read only') {
      const connection = this.#database.openReader();
      this.#snapshot = { connection, statements: new Statements(connection) };
      connection.exec('BEGIN');
      return;
    }
    await this.#database.writer.begin();
    this.#inTransaction = true;
  }

  async commit(): Promise<void> {
    this.#isOver = true;
    if (!this.#inTransaction) return;
    this.#inTransaction = false;
    await this.#database.writer.commit();
  }

  /** Does nothing after a commit that failed. */
  rollback(): void {
    this.#isOver = true;
    if (!this.#inTransaction) return;
    this.#inTransaction = false;
    this.#database.writer.rollback();
  }

  release(): void {
    // Closing ends a transaction that has only read.
    this.#snapshot?.connection.close();
    this.#snapshot = undefined;
  }

  // biome-ignore lint/correctness/useYield: nothing is ever read in parts.
  async *streamQuery(): AsyncGenerator<never> {
    throw new Error('the embedded database does not stream');
  }
}

function read<Row>(statements: Statements, query: CompiledQuery): Promise<QueryResult<Row>> {
  return retryWhileLocked(performance.now() + LOCK_WAIT_MS, () => statements.run<Row>(query));
}

/** Any other statement may be one that SQLite runs only outside a transaction. */
function isChange({ query }: CompiledQuery): boolean {
  return InsertQueryNode.is(query) || UpdateQueryNode.is(query) || DeleteQueryNode.is(query);
}
