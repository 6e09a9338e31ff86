/** What the time is taken from. */
export interface Clocks {
  /** The wall clock, in milliseconds since 1970; it can be set, and goes on while the machine sleeps. */
  now: () => number;
  /** A clock that nobody can set, in milliseconds from whenever; it may stand still while the machine sleeps. */
  uptime: () => number;
}

/**
 * When something ends: by the wall clock at the moment of use, as a timer may have slept with the machine; and by the clock
 * that nobody sets at the latest, so that a wall clock that is set back prolongs nothing. (Should the machine also have slept
 * since, that clock is late by as much; then the server, and AWS, still know the time.)
 */
export class Expiry {
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly #clocks: Clocks;
  readonly #uptimeThen: number;

  constructor(at: number, clocks: Clocks) {
    this.at = at;
    this.#clocks = clocks;
    this.#uptimeThen = clocks.uptime() + at - clocks.now();
  }

  /** Milliseconds; not more than 0 when it is over. */
  get left(): number {
    return Math.min(this.at - this.#clocks.now(), this.#uptimeThen - this.#clocks.uptime());
  }

  get over(): boolean {
    return this.left <= 0;
  }
}
