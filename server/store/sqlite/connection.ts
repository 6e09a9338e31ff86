import type { DatabaseSync } from 'node:sqlite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type QueryResult,
  SelectQueryNode,
  type TransactionSettings,
} from 'kysely';
import type { Mutex } from '../mutex.ts';
import { busy, LOCK_WAIT_MS, retryWhileLocked } from './lock-wait.ts';
import { execute } from './open-database.ts';

/** One open database, which all of Kysely's connections share. */
export interface SqliteDatabase {
  writer: DatabaseSync;
  reader: DatabaseSync;
  /** Opens one more connection that only reads. */
  openReader: () => DatabaseSync;
  /** Guards the writer: one connection at a time has it. */
  mutex: Mutex;
  /** Throws when writes would be lost. */
  checkFiles: () => void;
}

/**
 * Runs Kysely's statements. Reads use a connection of their own, which no write blocks; writes and whole transactions take turns on
 * the other one. A transaction that only reads has a connection to itself, so that nobody else sees its old state.
 */
export class NodeSqliteConnection implements DatabaseConnection {
  readonly #database: SqliteDatabase;
  #inTransaction = false;
  #snapshot: DatabaseSync | undefined;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { reader, writer, mutex } = this.#database;
    const until = performance.now() + LOCK_WAIT_MS;
    const snapshot = this.#snapshot;
    if (snapshot !== undefined) return retryWhileLocked(until, () => execute<Row>(snapshot, query));
    // A transaction must see what it has written itself.
    if (this.#inTransaction) return retryWhileLocked(until, () => execute<Row>(writer, query));
    if (SelectQueryNode.is(query.query)) return retryWhileLocked(until, () => execute<Row>(reader, query));
    await this.#acquireWriter(until);
    try {
      return await retryWhileLocked(until, () => execute<Row>(writer, query));
    } finally {
      mutex.release();
    }
  }

  /** Takes the write lock at once, unless it only reads: a transaction that reads first and then fails to get the lock could not go on. */
  async begin({ accessMode }: TransactionSettings): Promise<void> {
    if (accessMode === 'read only') {
      this.#snapshot = this.#database.openReader();
      this.#snapshot.exec('BEGIN');
      return;
    }
    const { writer, mutex } = this.#database;
    const until = performance.now() + LOCK_WAIT_MS;
    await this.#acquireWriter(until);
    try {
      await retryWhileLocked(until, () => writer.exec('BEGIN IMMEDIATE'));
      this.#inTransaction = true;
    } catch (error) {
      mutex.release();
      throw error;
    }
  }

  async commit(): Promise<void> {
    if (this.#snapshot !== undefined) return;
    await retryWhileLocked(performance.now() + LOCK_WAIT_MS, () => this.#database.writer.exec('COMMIT'));
  }

  rollback(): void {
    if (this.#snapshot !== undefined) return;
    // After some errors, such as a full disk, SQLite has rolled back already (sqlite.org/lang_transaction.html, section 3).
    if (this.#database.writer.isTransaction) this.#database.writer.exec('ROLLBACK');
  }

  /** Lets the next connection write. */
  release(): void {
    // Closing ends a transaction that has only read.
    this.#snapshot?.close();
    this.#snapshot = undefined;
    if (!this.#inTransaction) return;
    this.#inTransaction = false;
    this.#database.mutex.release();
  }

  // biome-ignore lint/correctness/useYield: nothing is ever read in parts.
  async *streamQuery(): AsyncGenerator<never> {
    throw new Error('the embedded database does not stream');
  }

  async #acquireWriter(until: number): Promise<void> {
    const { mutex, checkFiles } = this.#database;
    if (!(await mutex.acquire(until - performance.now()))) throw busy();
    try {
      checkFiles();
    } catch (error) {
      mutex.release();
      throw error;
    }
  }
}
