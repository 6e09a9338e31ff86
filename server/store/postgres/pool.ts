import type { Duplex } from 'node:stream';
import pg from 'pg';
import type { Address } from './address.ts';
import type { Password } from './password.ts';
import { isUnauthenticated, unreachable } from './trouble.ts';

/** How long a transaction waits for others, in milliseconds. */
export const LOCK_WAIT_MS = 5_000;

/** How long one statement may take, in milliseconds. */
const STATEMENT_MS = 30_000;

/** How long a transaction may do nothing, in milliseconds: it would keep others waiting. */
const IDLE_TRANSACTION_MS = 15_000;

/** How long a connection may take to be made or to become free, in milliseconds. */
const CONNECT_MS = 5_000;

/** How long the last statements may take when the server ends, in milliseconds. */
const END_MS = 5_000;

/** How long an unused connection stays open, and how old one may become, so that all find a database that has moved. */
const IDLE_MS = 60_000;
const LONGEST_LIFE_S = 3600;

/** How long an idle connection is quiet before the system looks whether its other end is still there, in milliseconds. */
const KEEP_ALIVE_MS = 10_000;

/** Type numbers of `bigint` and `numeric` (pg_type.dat): times, counters, counts and sums. */
const NUMBERS: readonly number[] = [pg.types.builtins.INT8, pg.types.builtins.NUMERIC];

/** The connections to one database. */
export class Pool {
  readonly #pool: pg.Pool;
  readonly #password: Password;
  readonly #lost = new WeakSet<pg.ClientBase>();
  readonly #open = new Set<pg.PoolClient>();

  /** @param size the most connections */
  constructor(address: Address, password: Password, size: number) {
    const { host, port, user, database, tls } = address;
    this.#password = password;
    this.#pool = new pg.Pool({
      Client,
      host,
      port,
      user,
      database,
      password: () => password.get(),
      ssl: tls === false ? false : { ...tls, ca: tls.ca === undefined ? undefined : [tls.ca].flat() },
      application_name: 'vouch-server',
      // A statement need not wait for the answer to the one before it.
      pipeline: true,
      max: size,
      // One is always ready, so that a quiet server answers at once.
      min: 1,
      idleTimeoutMillis: IDLE_MS,
      maxLifetimeSeconds: LONGEST_LIFE_S,
      connectionTimeoutMillis: CONNECT_MS,
      statement_timeout: STATEMENT_MS,
      lock_timeout: LOCK_WAIT_MS,
      idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      // This pool's alone: `pg` would give bigint as text.
      types: {
        getTypeParser: ((type: number, format?: 'text') =>
          NUMBERS.includes(type) ? asNumber : pg.types.getTypeParser(type, format)) as typeof pg.types.getTypeParser,
      },
    });
    // Whoever uses a connection learns that it broke from the statement that fails.
    this.#pool.on('error', () => {});
    this.#pool.on('connect', (client) => {
      this.#open.add(client);
      client.on('error', () => this.#lost.add(client));
    });
    this.#pool.on('remove', (client) => this.#open.delete(client));
  }

  /** How many connections there are, and how many ask for one. */
  get connections(): { active: number; idle: number; waiting: number } {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { active: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  /** @throws StoreUnavailable when no connection can be had */
  async take(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      if (isUnauthenticated(error)) this.#password.forget();
      throw unreachable(error);
    }
  }

  /** @param broken whether nobody may use it again */
  give(client: pg.PoolClient, broken: boolean): void {
    client.release(broken || this.isLost(client));
  }

  isLost(client: pg.PoolClient): boolean {
    return this.#lost.has(client);
  }

  /** Ends a connection at once: its statement fails. */
  cut(client: pg.PoolClient): void {
    this.#lost.add(client);
    socketOf(client).destroy();
  }

  /** Sends a statement, in one packet with what else is sent in this turn. */
  send(client: pg.PoolClient, query: pg.QueryConfig): Promise<pg.QueryResult> {
    const socket = socketOf(client);
    socket.cork();
    process.nextTick(uncork, socket);
    return client.query(query);
  }

  /** Waits for the connections in use, but not for long for a database that has gone. */
  async end(): Promise<void> {
    this.#password.giveUp();
    const timer = setTimeout(() => {
      for (const client of this.#open) this.cut(client);
    }, END_MS);
    try {
      await this.#pool.end();
    } finally {
      clearTimeout(timer);
    }
  }
}

const uncork = (socket: Duplex) => socket.uncork();

/**
 * `pg` leaves the socket open when it cannot log in, for want of the password, say. A command would not end then, and a server would
 * fill the database with connections until that gives each up, a minute later.
 */
class Client extends pg.Client {
  override connect(): Promise<this>;
  override connect(callback: (error: Error) => void): void;
  override connect(callback?: (error: Error) => void): Promise<this> | undefined {
    if (callback === undefined) return super.connect() as Promise<this>;
    super.connect((error: Error | undefined) => {
      if (error) socketOf(this).destroy();
      callback(error as Error);
    });
    return undefined;
  }
}

/** What the types of `pg` leave out. */
function socketOf(client: pg.ClientBase): Duplex {
  return (client as unknown as { connection: { stream: Duplex } }).connection.stream;
}

/** @throws RangeError for a number that JavaScript cannot tell from its neighbours, as Node's SQLite does */
function asNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) throw new RangeError(`${text} is too large`);
  return number;
}

/** How long a statement's answer may take to arrive, in milliseconds. After that the network, or the database's machine, has gone. */
export const ANSWER_MS = STATEMENT_MS + 5_000;
