import type { Logger } from 'pino';
import { SteadyClock } from '../../store/steady-clock.ts';
import type { Store } from '../../store/store.ts';
import type { Clocks, DatabaseKeyRing, RingKey } from '../key-ring.ts';
import { DATABASE, type KeyRow, type NewKey } from '../key-rows.ts';
import { AHEAD_MS, PREVIOUS_MS, PUBLISH_MS, REFRESH_MS } from '../lifetimes.ts';
import { promote, publishNext, retire } from './transitions.ts';

const DAY_MS = 24 * 3600_000;

/** How long the clock must have run evenly before a key starts to sign or a new one is made, in milliseconds. */
const STEADY_MS = PUBLISH_MS;

/** The same before a key is taken out of the key set: if the clock is wrong, people's sessions end. */
const RETIRE_STEADY_MS = 3600_000;

/**
 * How long a next key waits at most, in milliseconds: longer than any right clock says. One that was a year ahead for some minutes may have
 * said when it is to sign.
 */
const LONGEST_WAIT_MS = AHEAD_MS + 3600_000;

/** The pause between two questions to KMS for the key that the setting names, in milliseconds. */
const ASK_MS = 3600_000;

const BY = { actor: 'server' };

/** When the schedule replaces a key, in milliseconds since the epoch. */
function rotationAt({ current_at, created_at }: Pick<RingKey, 'current_at' | 'created_at'>, days: number): number {
  return (current_at ?? created_at) + days * DAY_MS;
}

/** When a key's state ends, in milliseconds since the epoch; undefined if nobody knows. */
export function stateUntil(row: KeyRow, { keyRotationDays: days }: { keyRotationDays: number | undefined }) {
  if (row.state === 'next') return row.signs_from ?? undefined;
  if (row.state === 'previous') return retiresAt(row);
  // KMS makes no new key by itself.
  return row.state === 'current' && row.source === DATABASE && days !== undefined ? rotationAt(row, days) : undefined;
}

/** When a previous key leaves the key set, in milliseconds since the epoch. */
function retiresAt({ previous_at, created_at }: Pick<RingKey, 'previous_at' | 'created_at'>): number {
  return (previous_at ?? created_at) + PREVIOUS_MS;
}

/** What the schedule works with. */
export interface ScheduleContext {
  store: Store;
  keys: DatabaseKeyRing;
  /** After how many days another key takes over; undefined for never. */
  days: number | undefined;
  clocks: Clocks;
  log: Logger;
  /** Whether a next key, by its name, is known wherever else verifiers look for it. By default, they look nowhere else. */
  maySign?: (kid: string) => Promise<boolean>;
}

/**
 * Keeps this instance's ring up to date, and moves keys on when their time has come, whichever instance gets there first.
 *
 * No verifier that keeps the key set for its `max-age` ever meets a key that it does not know: an instance lets a next key sign only when
 * it has published it itself for long enough. It measures that by its monotonic clock, so no wrong clock can shorten it. By then all other
 * instances have published the key for as long, or have answered nothing (FRESH_MS).
 */
export class KeySchedule {
  readonly #context: ScheduleContext;
  readonly #clock: SteadyClock;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #failing = false;
  /** When to ask KMS again, by the monotonic clock. */
  #askAt = Number.NEGATIVE_INFINITY;
  /** Whether this instance has seen what its setting asks for. If keys then move elsewhere, another instance has a newer setting. */
  #settled = false;

  constructor(context: ScheduleContext) {
    this.#context = context;
    this.#clock = new SteadyClock(context.clocks.elapsed);
  }

  /** Runs every few seconds. */
  start(): void {
    this.#timer = setInterval(() => this.run(), REFRESH_MS);
  }

  /** Runs no more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** Done every few seconds. It never throws. Does nothing while an earlier one is still running. */
  run(): Promise<void> {
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #round(): Promise<void> {
    const { keys, log } = this.#context;
    try {
      const changed = await keys.refresh();
      if (await this.#advance()) await keys.refresh();
      else if (changed) log.info({ keys: namesOf(keys) }, 'signing keys have changed');
      if (this.#failing) log.info('signing keys can be read again');
      this.#failing = false;
    } catch (err) {
      // The next look comes soon, and an outage of the database is told once.
      if (!this.#failing) log.error({ err }, 'signing keys cannot be read');
      this.#failing = true;
    }
  }

  /** @returns whether it has changed anything */
  async #advance(): Promise<boolean> {
    const { keys, clocks } = this.#context;
    const now = clocks.now();
    const steady = this.#clock.look(now);
    const current = keys.keys.find(({ state }) => state === 'current');
    const next = keys.keys.find(({ state }) => state === 'next');
    this.#settled ||= keys.makesKeys && (next ?? current)?.source === DATABASE;
    if (current === undefined || steady < STEADY_MS) return false;
    const moved = next === undefined ? await this.#publishNext(current, now) : await this.#promote(current, next, now);
    const retired = steady >= RETIRE_STEADY_MS && (await this.#retire(now));
    return moved || retired;
  }

  async #publishNext(current: RingKey, now: number): Promise<boolean> {
    const { store, log } = this.#context;
    const due = this.#dueAt(current, now);
    const next = due === undefined ? undefined : await this.#makeNext(current);
    if (due === undefined || next === undefined) return false;
    const signsFrom = Math.max(due, now + AHEAD_MS);
    const done = await store
      .transaction()
      .execute((transaction) => publishNext(transaction, { current, next, signsFrom }, now, BY));
    if (done) log.info({ kid: next.kid, signsFrom: new Date(signsFrom) }, 'a new signing key is published');
    return done;
  }

  /** When the current key is to be replaced, in milliseconds since the epoch, if it is time to make the next one. */
  #dueAt(current: RingKey, now: number): number | undefined {
    const { keys, days, clocks } = this.#context;
    if (!keys.makesKeys) {
      // The setting may name another key in KMS than the one that signs, or an alias that has got another one.
      const elapsed = clocks.elapsed();
      if (elapsed < this.#askAt) return undefined;
      this.#askAt = elapsed + ASK_MS;
      return now;
    }
    if (current.source !== DATABASE) return this.#settled ? undefined : now;
    const due = days === undefined ? undefined : rotationAt(current, days);
    return due !== undefined && now >= due - AHEAD_MS ? due : undefined;
  }

  /** Undefined when there is no other key. */
  async #makeNext(current: RingKey): Promise<NewKey | undefined> {
    const { keys, log } = this.#context;
    const next = await keys.makeKey().catch((err: unknown) => {
      log.warn({ err }, 'no other signing key can be made');
      return undefined;
    });
    return next?.kid === current.kid ? undefined : next;
  }

  async #promote(current: RingKey, next: RingKey, now: number): Promise<boolean> {
    const { store, keys, log, maySign = async () => true } = this.#context;
    const published = keys.publishedFor(next);
    const due = now >= (next.signs_from ?? 0) || published >= LONGEST_WAIT_MS;
    if (!due || published < PUBLISH_MS || !(await maySign(next.kid))) return false;
    const sealed = await keys.withoutPrivateHalf(current);
    const done = await store
      .transaction()
      .execute((transaction) => promote(transaction, { current, sealed, next }, now, BY));
    if (done) log.info({ kid: next.kid, before: current.kid }, 'another signing key signs');
    return done;
  }

  async #retire(now: number): Promise<boolean> {
    const { store, keys, log } = this.#context;
    let any = false;
    for (const key of keys.keys) {
      if (key.state !== 'previous' || now < retiresAt(key)) continue;
      const done = await store.transaction().execute((transaction) => retire(transaction, key.kid, now, BY));
      if (done) log.info({ kid: key.kid }, 'a signing key has left the key set');
      any ||= done;
    }
    return any;
  }
}

function namesOf({ keys }: DatabaseKeyRing): Record<string, string> {
  return Object.fromEntries(keys.map(({ kid, state }) => [kid, state]));
}
