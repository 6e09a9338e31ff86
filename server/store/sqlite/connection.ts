import type { DatabaseSync } from 'node:sqlite';
import { type CompiledQuery, type DatabaseConnection, type QueryResult, SelectQueryNode } from 'kysely';
import { busy, LOCK_WAIT_MS, retryWhileLocked } from './lock-wait.ts';
import type { Mutex } from './mutex.ts';
import { execute } from './open-database.ts';

/** What all connections of one database share. */
export interface Shared {
  writer: DatabaseSync;
  reader: DatabaseSync;
  /** Whose statements the writer runs. */
  turns: Mutex;
  /** Throws when what is written would be lost. */
  checkFiles: () => void;
}

/**
 * What Kysely runs its statements on: reads have a connection of SQLite's that nobody's write stops, writes and whole
 * transactions have the other one, one after the other.
 */
export class NodeSqliteConnection implements DatabaseConnection {
  readonly #shared: Shared;
  #hasTurn = false;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { reader, writer, turns } = this.#shared;
    const until = performance.now() + LOCK_WAIT_MS;
    // A transaction has the lock, and sees what it has written itself.
    if (this.#hasTurn) return retryWhileLocked(until, () => execute<Row>(writer, query));
    if (SelectQueryNode.is(query.query)) return retryWhileLocked(until, () => execute<Row>(reader, query));
    await this.#takeTurn(until);
    try {
      return await retryWhileLocked(until, () => execute<Row>(writer, query));
    } finally {
      turns.end();
    }
  }

  /** Begins with the write lock: a transaction that would first read, and then not get it, could not go on. */
  async begin(): Promise<void> {
    const { writer, turns } = this.#shared;
    const until = performance.now() + LOCK_WAIT_MS;
    await this.#takeTurn(until);
    try {
      await retryWhileLocked(until, () => writer.exec('BEGIN IMMEDIATE'));
      this.#hasTurn = true;
    } catch (error) {
      turns.end();
      throw error;
    }
  }

  async commit(): Promise<void> {
    await retryWhileLocked(performance.now() + LOCK_WAIT_MS, () => this.#shared.writer.exec('COMMIT'));
  }

  rollback(): void {
    // After some errors, as of a full disk, SQLite has done it already (sqlite.org/lang_transaction.html, section 3).
    if (this.#shared.writer.isTransaction) this.#shared.writer.exec('ROLLBACK');
  }

  /** Lets the next one write. */
  release(): void {
    if (!this.#hasTurn) return;
    this.#hasTurn = false;
    this.#shared.turns.end();
  }

  // biome-ignore lint/correctness/useYield: nothing is ever read in pieces.
  async *streamQuery(): AsyncGenerator<never> {
    throw new Error('the embedded database does not stream');
  }

  async #takeTurn(until: number): Promise<void> {
    const { turns, checkFiles } = this.#shared;
    if (!(await turns.take(until - performance.now()))) throw busy();
    try {
      checkFiles();
    } catch (error) {
      turns.end();
      throw error;
    }
  }
}
