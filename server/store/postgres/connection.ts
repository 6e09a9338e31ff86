import { hash } from 'node:crypto';
import type { CompiledQuery, DatabaseConnection, QueryResult, TransactionSettings } from 'kysely';
import type pg from 'pg';
import type { Mutex } from '../mutex.ts';
import { StoreUnavailable } from '../unavailable.ts';
import { ANSWER_MS, LOCK_WAIT_MS, type Pool } from './pool.ts';
import { asUnavailable, gaveWay, isStalePlan, leadsToStandby } from './trouble.ts';

/** What all of Kysely's connections to one database share. */
export interface PostgresDatabase {
  pool: Pool;
  /** One transaction of this process writes at a time: more would only wait inside the database, each with a connection. */
  mutex: Mutex;
  /** Whether statements may take as long as they need. */
  patient?: boolean;
}

/**
 * Begins a transaction that writes, with the lock of one row: such transactions follow each other, as with SQLite's BEGIN IMMEDIATE, and
 * each sees all earlier ones whole. At READ COMMITTED each statement sees what was committed before it began, so that the wait for the lock
 * makes no transaction see old data.
 */
const BEGIN = 'begin isolation level read committed; select 1 from audit_head where id = 1 for update';

/** A snapshot may wait for its reader: it keeps nobody else waiting. */
const BEGIN_SNAPSHOT =
  'begin isolation level repeatable read read only; set local idle_in_transaction_session_timeout = 0';

/** Statements with more parameters have too many shapes to keep them prepared. */
const MAX_PREPARED_PARAMETERS = 40;

/** The most statements that are prepared, in each connection. */
const MAX_PREPARED = 500;

/** How often a statement is tried that gave way to others. */
const ATTEMPTS = 5;

/** The names of prepared statements by their text. Two instances behind one pooler have the same names for the same text. */
const names = new Map<string, string>();

/** Runs Kysely's statements. It has one of the pool's connections from its first statement to its release. */
export class PostgresConnection implements DatabaseConnection {
  readonly #database: PostgresDatabase;
  #client: pg.PoolClient | undefined;
  #inTransaction = false;
  /** The answer to the statement that begins the transaction, which the first one of the transaction does not wait for. */
  #begun: Promise<unknown> | undefined;
  #hasMutex = false;
  /** Whether it had a transaction, which has ended or is about to. */
  #isOver = false;
  /** Whether the state of the client is unknown. */
  #broken = false;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    // It comes too late, and would be stored alone.
    if (this.#isOver) throw new Error('the transaction is over');
    const withinTransaction = this.#inTransaction;
    const values = parameters.some(hasNul) ? parameters.map(withoutNul) : (parameters as unknown[]);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { command, rowCount, rows } = await this.#afterBegin({ text: sql, values, ...nameFor(sql, values) });
        return CHANGES.includes(command) ? { rows, numAffectedRows: BigInt(rowCount ?? 0) } : { rows };
      } catch (error) {
        // Within a transaction only the whole of it can be tried again, and only its caller knows how.
        if (withinTransaction || attempt === ATTEMPTS) throw error;
        if (isStalePlan(error)) await this.#renew();
        else if (!gaveWay(error)) throw error;
      }
    }
  }

  /** Does not wait for the lock: the first statement does. @throws StoreUnavailable when there is no connection, or too much to do */
  async begin({ accessMode, isolationLevel }: TransactionSettings): Promise<void> {
    const snapshot = accessMode === 'read only';
    if (isolationLevel !== (snapshot ? 'repeatable read' : undefined)) {
      throw new Error(`no transaction is ${isolationLevel} here`);
    }
    if (!snapshot) {
      if (!(await this.#database.mutex.acquire(LOCK_WAIT_MS))) {
        throw new StoreUnavailable('The database is too busy: no transaction got its turn', 5);
      }
      this.#hasMutex = true;
    }
    this.#client = await this.#database.pool.take();
    this.#inTransaction = true;
    this.#begun = this.#query({ text: snapshot ? BEGIN_SNAPSHOT : BEGIN });
    // Whoever comes next meets its error.
    this.#begun.catch(() => {});
  }

  /** When this fails, the transaction may have been committed or not. */
  async commit(): Promise<void> {
    this.#isOver = true;
    await this.#begun;
    const { command } = await this.#query({ text: 'commit' });
    this.#inTransaction = false;
    // What PostgreSQL answers after a statement has failed, and somebody caught its error.
    if (command === 'ROLLBACK') throw new Error('the transaction was rolled back: one of its statements had failed');
  }

  /** Never throws, so that the error that led here is the one that is seen. */
  async rollback(): Promise<void> {
    this.#isOver = true;
    this.#inTransaction = false;
    if (this.#client === undefined || this.#broken) return;
    await this.#query({ text: 'rollback' }).catch(() => {
      this.#broken = true;
    });
  }

  /** Lets others have the connection. */
  release(): void {
    if (this.#client !== undefined) this.#database.pool.give(this.#client, this.#broken || this.#inTransaction);
    this.#client = undefined;
    this.#begun = undefined;
    if (this.#hasMutex) this.#database.mutex.release();
    this.#hasMutex = false;
  }

  // biome-ignore lint/correctness/useYield: nothing is ever read in parts.
  async *streamQuery(): AsyncGenerator<never> {
    throw new Error('nothing is read in parts');
  }

  /**
   * Sends a statement right behind the one that begins the transaction. If that one gets no lock, the transaction has failed and does
   * nothing more (PostgreSQL's manual, section "Pipelining").
   */
  async #afterBegin(query: pg.QueryConfig): Promise<pg.QueryResult> {
    const begun = this.#begun;
    const answer = this.#query(query);
    if (begun === undefined) return answer;
    answer.catch(() => {});
    await begun;
    this.#begun = undefined;
    return answer;
  }

  async #query(query: pg.QueryConfig): Promise<pg.QueryResult> {
    this.#client ??= await this.#database.pool.take();
    const client = this.#client;
    const { pool, patient } = this.#database;
    const timer = patient ? undefined : setTimeout(() => pool.cut(client), ANSWER_MS);
    try {
      return await pool.send(client, query);
    } catch (error) {
      const lost = pool.isLost(client);
      // Whoever takes the connection next must not meet the same.
      if (lost || leadsToStandby(error) || isStalePlan(error)) this.#broken = true;
      throw asUnavailable(error, lost);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Goes on with another connection, which has nothing prepared. */
  async #renew(): Promise<void> {
    if (this.#client !== undefined) this.#database.pool.give(this.#client, true);
    this.#client = undefined;
    this.#broken = false;
  }
}

/** PostgreSQL's texts cannot hold U+0000. What a client sends with one is found or stored with U+FFFD, as half a surrogate pair is. */
const hasNul = (value: unknown) => typeof value === 'string' && value.includes('\0');
const withoutNul = (value: unknown) => (typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value);

/** The commands whose rows are counted as changes. */
const CHANGES = ['INSERT', 'UPDATE', 'DELETE'];

function nameFor(text: string, values: readonly unknown[]): { name?: string } {
  const known = names.get(text);
  if (known !== undefined) return { name: known };
  if (values.length > MAX_PREPARED_PARAMETERS || names.size >= MAX_PREPARED) return {};
  const name = `vouch_${hash('sha256', text, 'base64url').slice(0, 22)}`;
  names.set(text, name);
  return { name };
}
