import type { DatabaseSync } from 'node:sqlite';
import type { CompiledQuery, QueryResult } from 'kysely';
import { Mutex } from '../mutex.ts';
import { asUnavailable, busy, LOCK_WAIT_MS, retryWhileLocked } from './lock-wait.ts';
import { Statements } from './statements.ts';

/** Those whose changes are in one commit. It happens to all of them, or to none. */
type Group = PromiseWithResolvers<void>;

/**
 * The one connection that writes. One statement or transaction at a time has it. Each commit waits for the disk, so those that come in
 * the same moment share one. Nobody hears that something is stored before it is on the disk.
 *
 * SQLite's transaction is the group's; each of ours is a savepoint in it, which can be undone alone (sqlite.org/lang_savepoint.html).
 */
export class Writer {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #checkFiles: () => void;
  readonly #mutex = new Mutex();
  /** As long as SQLite has a transaction. */
  #group: Group | undefined;

  /** @param checkFiles throws when writes would be lost */
  constructor(database: DatabaseSync, checkFiles: () => void) {
    this.#database = database;
    this.#statements = new Statements(database);
    this.#checkFiles = checkFiles;
  }

  /** Makes a change. It is stored when this resolves. */
  async write<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const group = await this.#join();
    let result: QueryResult<Row>;
    try {
      result = this.run<Row>(query);
    } finally {
      this.#mutex.release();
    }
    await group.promise;
    return result;
  }

  /** Runs a statement outside any transaction. */
  async runAlone<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const until = performance.now() + LOCK_WAIT_MS;
    if (!(await this.#mutex.acquire(LOCK_WAIT_MS))) throw busy();
    try {
      if (this.#group !== undefined) await this.#commit(this.#group);
      this.#checkFiles();
      return await retryWhileLocked(until, () => this.#statements.run<Row>(query));
    } finally {
      this.#mutex.release();
    }
  }

  /** Begins a transaction, which has the connection until `commit` or `rollback`. */
  async begin(): Promise<void> {
    await this.#join();
    try {
      this.#statements.run(SAVEPOINT);
    } catch (error) {
      // The transaction has not begun, so that nobody ends it.
      this.#mutex.release();
      throw asUnavailable(error);
    }
  }

  /** Runs a statement of the transaction that has the connection. */
  run<Row>(query: Pick<CompiledQuery, 'sql' | 'parameters'>): QueryResult<Row> {
    // Outside SQLite's transaction it would be stored alone.
    if (this.#group === undefined) throw new Error('the transaction was rolled back: one of its statements had failed');
    try {
      return this.#statements.run<Row>(query);
    } catch (error) {
      const known = asUnavailable(error);
      // After some errors, such as a full disk, SQLite has rolled back all (sqlite.org/lang_transaction.html, section 3).
      if (!this.#database.isTransaction) this.#fail(known);
      throw known;
    }
  }

  /** Ends the transaction. It is stored when this resolves, and undone when this throws. */
  async commit(): Promise<void> {
    const group = this.#group;
    try {
      this.run(RELEASE);
    } finally {
      this.#mutex.release();
    }
    await group?.promise;
  }

  /** Undoes the transaction, and nothing that others in its group have done; if that fails, all of them. Never throws. */
  rollback(): void {
    try {
      if (this.#database.isTransaction) {
        this.#statements.run(ROLLBACK_TO);
        this.#statements.run(RELEASE);
      }
    } catch (error) {
      // What could not be undone alone must not be stored with what others have done.
      this.#undo();
      this.#fail(asUnavailable(error));
    } finally {
      this.#mutex.release();
    }
  }

  /** Lets a running transaction end. The last connection to close leaves everything in one file. @param closeOthers before this one */
  async close(closeOthers: () => void): Promise<void> {
    await this.#mutex.acquire(LOCK_WAIT_MS);
    if (this.#group !== undefined) await this.#commit(this.#group);
    closeOthers();
    this.#database.close();
  }

  /** Waits for its turn, and for a lock that another program has. @returns the group that it is in */
  async #join(): Promise<Group> {
    const until = performance.now() + LOCK_WAIT_MS;
    if (!(await this.#mutex.acquire(LOCK_WAIT_MS))) throw busy();
    if (this.#group !== undefined) return this.#group;
    try {
      this.#checkFiles();
      await retryWhileLocked(until, () => this.#statements.run(BEGIN));
    } catch (error) {
      this.#mutex.release();
      throw error;
    }
    const group: Group = Promise.withResolvers();
    // Its members may all have failed.
    group.promise.catch(() => {});
    this.#group = group;
    // After the requests that have arrived already.
    setImmediate(() => void this.#commitInTurn(group));
    return group;
  }

  async #commitInTurn(group: Group): Promise<void> {
    await this.#mutex.acquire(Number.POSITIVE_INFINITY);
    if (this.#group === group) await this.#commit(group);
    this.#mutex.release();
  }

  async #commit(group: Group): Promise<void> {
    try {
      await retryWhileLocked(performance.now() + LOCK_WAIT_MS, () => this.#statements.run(COMMIT));
    } catch (error) {
      this.#undo();
      this.#fail(error);
      return;
    }
    this.#group = undefined;
    group.resolve();
  }

  #undo(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    } catch {
      // The error of the commit is the one that counts.
    }
  }

  /** For a group of which nothing is stored. */
  #fail(error: unknown): void {
    this.#group?.reject(error);
    this.#group = undefined;
  }
}

const plain = (sql: string) => ({ sql, parameters: [] });

// The lock at once: a transaction that reads first and then fails to get the lock could not go on.
const [BEGIN, COMMIT] = [plain('BEGIN IMMEDIATE'), plain('COMMIT')];
const [SAVEPOINT, RELEASE, ROLLBACK_TO] = [plain('SAVEPOINT ours'), plain('RELEASE ours'), plain('ROLLBACK TO ours')];
