/** How long before their end credentials are renewed, in milliseconds. */
const lead = 10 * 60_000;

/** Nothing is renewed for whom nobody has used it for this long, in milliseconds. */
const idle = 3600_000;

/** How long after a failed renewal the next one is tried, in milliseconds: doubled each time, from the first to the second. */
const [shortestPause, longestPause] = [15_000, 120_000];

/**
 * When one role's credentials are to be renewed. It holds times and no timer: whoever asks says what time it is, so that a
 * machine that slept, or a clock that was set, is no case of its own.
 */
export class Renewal {
  readonly #expiration: number;
  #at: number;
  #failures = 0;
  #usedAt: number;

  /**
   * @param expiration when the credentials end, in milliseconds since 1970
   * @param obtainedAt when they came
   * @param earlier that of the credentials which these replace: who used those is who uses these
   */
  constructor(expiration: number, obtainedAt: number, earlier?: Renewal) {
    this.#expiration = expiration;
    this.#usedAt = earlier ? earlier.#usedAt : Number.NEGATIVE_INFINITY;
    // Short-lived ones (a role may have 15 minutes) are used for two thirds of their time at least.
    const before = Math.min(lead, Math.max(0, expiration - obtainedAt) / 3);
    // Later by up to a fifth, so that all that began in the same moment is not renewed in the same moment.
    this.#at = expiration - before * (1 - Math.random() / 5);
  }

  /** Somebody was given the credentials. */
  used(now: number): void {
    this.#usedAt = now;
  }

  /** A renewal did not succeed. */
  failed(now: number): void {
    const pause = Math.min(shortestPause * 2 ** this.#failures++, longestPause);
    this.#at = now + pause * (1 - Math.random() / 2);
  }

  isDue(now: number): boolean {
    return now >= this.#at && now < this.#expiration && now - this.#usedAt < idle;
  }
}
