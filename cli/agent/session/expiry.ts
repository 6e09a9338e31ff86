import { clockTime } from '../../text/time.ts';

/** The sources of the time. */
export interface Clocks {
  /** The wall clock, in milliseconds since 1970. It can be set, and goes on while the machine sleeps. */
  now: () => number;
  /** The monotonic clock, in milliseconds from any start. It cannot be set, and may stop while the machine sleeps. */
  uptime: () => number;
}

/**
 * When something ends. The clocks are read at the moment of use, because a timer may have slept with the machine. Both clocks
 * count, so setting the wall clock back gains no time. (The monotonic clock may stop during sleep; then the server and AWS still
 * refuse in time.)
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
