import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import { Lease } from './lease.ts';
import type { Schema } from './schema.ts';
import { SteadyClock } from './steady-clock.ts';
import type { Store } from './store.ts';

/**
 * The most rows that one statement deletes: the embedded database blocks the whole server while it does, and with any other one somebody
 * may wait for these rows.
 */
const BATCH = 1_000;

/** How long a finished enrolment can still be asked about, in milliseconds. */
const ENROLMENT_MEMORY_MS = 24 * 3600 * 1000;

/** How long the clock must have run evenly before used proofs are deleted, in milliseconds: longer than a proof is fresh. */
const STEADY_MS = 15 * 60 * 1000;

/** The only model of oidc-provider that is stored to refuse something: used proofs. */
const DENYING_MODEL = 'ReplayDetection';

/** What a feature does at each sweep. @param now milliseconds since the epoch */
type SweepTask = (now: number) => Promise<void>;

/** Work of features at each sweep, after the sweeper's own. */
export interface SweepTasks {
  anyTime?: readonly SweepTask[];
  /** Only while the clock runs evenly: what a clock that is a year ahead for a moment must not do. */
  steady?: readonly SweepTask[];
}

/** Deletes what has expired, for all instances. Agents' sessions stay. */
export class Sweeper {
  readonly #store: Store;
  readonly #tasks: SweepTasks;
  readonly #lease: Lease;
  readonly #clock: SteadyClock;
  #sweeping = false;

  /** @param elapsed milliseconds of a monotonic clock */
  constructor(
    store: Store,
    tasks: SweepTasks,
    elapsed: () => number = () => performance.now(),
    lease = new Lease(store, 'sweep'),
  ) {
    this.#store = store;
    this.#tasks = tasks;
    this.#lease = lease;
    this.#clock = new SteadyClock(elapsed);
  }

  /**
   * Does nothing while an earlier sweep is still running, or while another instance does it. Call it every minute.
   *
   * @param now milliseconds since the epoch
   * @returns whether this instance is the one that sweeps
   */
  async sweep(now: number): Promise<boolean> {
    const steady = this.#isSteady(now);
    if (this.#sweeping) return true;
    this.#sweeping = true;
    try {
      if (!(await this.#lease.take(now))) return false;
      await this.#delete('challenges', 'challenge_hash', 'expires_at', now);
      await this.#delete('enrolments', 'ticket_hash', 'expires_at', now - ENROLMENT_MEMORY_MS);
      await this.#delete('web_sessions', 'id', 'expires_at', now);
      await this.#delete('rate_limits', 'client', 'ends_at', now);
      await this.#deletePayloads(now, '!=');
      for (const task of this.#tasks.anyTime ?? []) await task(now);
      if (!steady) return true;
      await this.#delete('dpop_proofs', 'proof_hash', 'expires_at', now);
      await this.#deletePayloads(now, '=');
      for (const task of this.#tasks.steady ?? []) await task(now);
      return true;
    } finally {
      this.#sweeping = false;
    }
  }

  /** Deletes a table's rows whose `time` is `before` or earlier. @param key the table's primary key */
  async #delete<Table extends keyof Schema>(
    table: Table,
    key: keyof Schema[Table] & string,
    time: keyof Schema[Table] & string,
    before: number,
  ): Promise<void> {
    const over = sql`select ${sql.ref(key)} from ${sql.table(table)} where ${sql.ref(time)} <= ${before} limit ${BATCH}`;
    // Asked again: a row that was renewed since must stay.
    const batch = sql`delete from ${sql.table(table)} where ${sql.ref(key)} in (${over}) and ${sql.ref(time)} <= ${before}`;
    await inBatches(async () => (await batch.execute(this.#store)).numAffectedRows ?? 0n);
  }

  /** @param denying '=' for payloads of the model that is stored in order to refuse, '!=' for all others */
  async #deletePayloads(now: number, denying: '=' | '!='): Promise<void> {
    const over = this.#store
      .selectFrom('oidc_payloads')
      .select('id_hash')
      .where('expires_at', '<=', now)
      .where('model', denying, DENYING_MODEL)
      .limit(BATCH);
    const batch = this.#store
      .deleteFrom('oidc_payloads')
      .where('id_hash', 'in', over)
      .where('expires_at', '<=', now)
      .where('model', denying, DENYING_MODEL);
    await inBatches(async () => (await batch.executeTakeFirst()).numDeletedRows);
  }

  /**
   * A used proof that is deleted could be used again. A clock wrongly set ahead makes all proofs look expired; set back, they are valid
   * again. So rows are deleted only after the clock has run evenly for longer than a proof is accepted.
   */
  #isSteady(now: number): boolean {
    return this.#clock.look(now) >= STEADY_MS;
  }
}

/** Deletes until nothing is left, and lets other requests in between two batches. */
async function inBatches(deleteBatch: () => Promise<bigint>): Promise<void> {
  while ((await deleteBatch()) >= BATCH) await setImmediate();
}
