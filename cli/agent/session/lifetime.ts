import type { Problem } from '../../problem/problem.ts';
import { signInNeeded } from '../../problem/sign-in-needed.ts';
import { type Clocks, Expiry } from './expiry.ts';

/** The lifetime of a session: until it expires, or until it is dropped. */
export class Lifetime {
  readonly end: Expiry;
  readonly #dropped = new AbortController();

  /** @param expiresAt in milliseconds since 1970 */
  constructor(expiresAt: number, clocks: Clocks) {
    this.end = new Expiry(expiresAt, clocks);
  }

  /** Aborted when the session is dropped. */
  get signal(): AbortSignal {
    return this.#dropped.signal;
  }

  /** The Problem to throw once the session has expired. */
  get ended(): Problem {
    return signInNeeded('session-over', `Your session ended at ${this.end.clockTime}.`);
  }

  /**
   * Makes sure that the session has not ended.
   *
   * @throws the signal's reason; Problem `session-over`
   */
  check(): void {
    this.signal.throwIfAborted();
    if (this.end.over) throw this.ended;
  }

  /** The signal for one call to the server or to STS: aborted when the session is dropped, or after a number of milliseconds. */
  callSignal(timeout: number): AbortSignal {
    return AbortSignal.any([this.signal, AbortSignal.timeout(timeout)]);
  }

  drop(): void {
    this.#dropped.abort();
  }
}
