import type { Problem } from '../../problem/problem.ts';
import { signInNeeded } from '../../problem/sign-in-needed.ts';
import { type Clocks, Expiry } from './expiry.ts';

/** How long a session lives: until its time is up, or until it is dropped. */
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

  /** Why there is no session when its time is up. */
  get ended(): Problem {
    return signInNeeded('session-over', `Your session ended at ${this.end.clockTime}.`);
  }

  /**
   * Makes sure that the session lives.
   *
   * @throws the signal's reason; Problem `session-over`
   */
  check(): void {
    this.signal.throwIfAborted();
    if (this.end.over) throw this.ended;
  }

  /** For one call to the server or to STS: aborted when the session is dropped, or after a number of milliseconds. */
  callSignal(timeout: number): AbortSignal {
    return AbortSignal.any([this.signal, AbortSignal.timeout(timeout)]);
  }

  drop(): void {
    this.#dropped.abort();
  }
}
