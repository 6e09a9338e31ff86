import type { Problem } from '../../problem/problem.ts';
import { signInNeeded } from '../../problem/sign-in-needed.ts';
import { type Clocks, Expiry } from './expiry.ts';

/** The lifetime of a session, or of a lend: until it expires, or until it is dropped. */
export class Lifetime {
  readonly end: Expiry;
  readonly #ended: (end: Expiry) => Problem;
  readonly #dropped = new AbortController();

  /**
   * @param expiresAt in milliseconds since 1970
   * @param ended the Problem to throw once it has expired
   */
  constructor(expiresAt: number, clocks: Clocks, ended: (end: Expiry) => Problem = sessionEnded) {
    this.end = new Expiry(expiresAt, clocks);
    this.#ended = ended;
  }

  /** Aborted when it is dropped. */
  get signal(): AbortSignal {
    return this.#dropped.signal;
  }

  /** The Problem to throw once it has expired. */
  get ended(): Problem {
    return this.#ended(this.end);
  }

  /**
   * Makes sure that it has not ended.
   *
   * @throws the signal's reason; Problem as `ended`
   */
  check(): void {
    this.signal.throwIfAborted();
    if (this.end.over) throw this.ended;
  }

  /** The signal for one call to the server or to STS: aborted when it is dropped, or after a number of milliseconds. */
  callSignal(timeout: number): AbortSignal {
    return AbortSignal.any([this.signal, AbortSignal.timeout(timeout)]);
  }

  drop(): void {
    this.#dropped.abort();
  }
}

function sessionEnded(end: Expiry): Problem {
  return signInNeeded('session-over', `Your session ended at ${end.clockTime}.`);
}
