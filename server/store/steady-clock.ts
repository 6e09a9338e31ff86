/** How far the clock and the elapsed time may differ between two looks, in milliseconds: NTP slews by less. */
const JUMP_MS = 5_000;

/** Tells for how long the clock has run evenly, so that a clock that is a year ahead for a moment does nothing that cannot be undone. */
export class SteadyClock {
  readonly #elapsed: () => number;
  #since: number;
  #last: { now: number; elapsed: number } | undefined;

  /** @param elapsed milliseconds of a monotonic clock */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
    this.#since = elapsed();
  }

  /**
   * Looks at the clock. Between two looks it sees only a jump that lasts.
   *
   * @param now milliseconds since the epoch
   * @returns for how long the clock has run evenly, in milliseconds
   */
  look(now: number): number {
    const elapsed = this.#elapsed();
    const last = this.#last ?? { now, elapsed };
    const jumped = Math.abs(now - last.now - (elapsed - last.elapsed)) > JUMP_MS;
    if (jumped) this.#since = elapsed;
    this.#last = { now, elapsed };
    return elapsed - this.#since;
  }
}
