/** Lets one caller at a time use something, in the order in which they ask. */
export class Mutex {
  #held = false;
  readonly #waiting = new Set<() => void>();

  /**
   * Waits for the caller's turn, which lasts until `release`. Resolves to false when it did not come in time.
   *
   * @param atMostMs how long to wait, in milliseconds; Infinity for as long as it takes
   */
  acquire(atMostMs: number): Promise<boolean> {
    if (!this.#held) {
      this.#held = true;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const next = () => {
        clearTimeout(timer);
        resolve(true);
      };
      const giveUp = () => {
        this.#waiting.delete(next);
        resolve(false);
      };
      // A timer takes no Infinity.
      const timer = atMostMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(giveUp, atMostMs);
      this.#waiting.add(next);
    });
  }

  /** Hands it to the next caller. */
  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#held = false;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
