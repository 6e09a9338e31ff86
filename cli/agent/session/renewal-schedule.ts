/** Credentials are renewed this long before their end, in milliseconds. */
const lead = 10 * 60_000;

/** Credentials unused for this long, in milliseconds, are not renewed. */
const idle = 3600_000;

/** The pause after a failed renewal, in milliseconds: it doubles each time, from the first value up to the second. */
const [shortestPause, longestPause] = [15_000, 120_000];

/**
 * When one role's credentials are to be renewed. It has no timer; callers pass the time in. So sleep and clock changes need no
 * special case.
 */
export class RenewalSchedule {
  readonly #expiration: number;
  #at: number;
  #failures = 0;
  #usedAt: number;

  /**
   * @param expiration when the credentials end, in milliseconds since 1970
   * @param obtainedAt when they were obtained
   * @param earlier the schedule of the credentials that these replace. Their last use counts for these too
   */
  constructor(expiration: number, obtainedAt: number, earlier?: RenewalSchedule) {
    this.#expiration = expiration;
    this.#usedAt = earlier ? earlier.#usedAt : Number.NEGATIVE_INFINITY;
    // Short-lived credentials (a role may have 15 minutes) are used for at least two thirds of their time.
    const before = Math.min(lead, Math.max(0, expiration - obtainedAt) / 3);
    // Later by up to a fifth, so that credentials fetched together are not renewed together.
    this.#at = expiration - before * (1 - Math.random() / 5);
  }

  /** The credentials were given out. */
  used(now: number): void {
    this.#usedAt = now;
  }

  /** A renewal failed. */
  failed(now: number): void {
    const pause = Math.min(shortestPause * 2 ** this.#failures++, longestPause);
    this.#at = now + pause * (1 - Math.random() / 2);
  }

  isDue(now: number): boolean {
    return now >= this.#at && now < this.#expiration && now - this.#usedAt < idle;
  }
}
