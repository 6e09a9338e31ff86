import { clockTime } from '../../text/time.ts';

/** The sources of the time. */
export interface Clocks {
  /** The wall clock, in milliseconds since 1970. It can be set, and goes on while the machine sleeps. */
  now: () => number;
  /** A clock that cannot be set, in milliseconds from any start. It may stand still while the machine sleeps. */
  uptime: () => number;
}

/**
 * When something ends. The wall clock decides at the moment of use, as a timer may have slept with the machine. The clock that
 * cannot be set decides as well, so that setting the wall clock back prolongs nothing. (If the machine has also slept since, that
 * clock is late by as much; then the server, and AWS, still know the time.)
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

  /** As a person reads it: 17:42 today, with the day when it is another. */
  get clockTime(): string {
    return clockTime(new Date(this.at), new Date(this.#clocks.now()));
  }
}
