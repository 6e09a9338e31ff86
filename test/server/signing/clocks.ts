import type { Clocks } from '../../../server/signing/key-ring.ts';

/** The clocks of one machine, which a test moves. */
export class TestClocks implements Clocks {
  /** How far the machine's time is ahead, in milliseconds. */
  ahead = 0;
  #time: number;

  /** @param time when it starts, in milliseconds since the epoch */
  constructor(time: number) {
    this.#time = time;
  }

  now = (): number => this.#time + this.ahead;
  elapsed = (): number => this.#time;

  pass(milliseconds: number): void {
    this.#time += milliseconds;
  }
}
