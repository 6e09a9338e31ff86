/** Lets one caller at a time use something, in the order in which they ask. */
export class Mutex {
  #held = false;
  readonly #waiting = new Set<() => void>();

  /**
   * Waits for the caller's turn, which lasts until `release`. Resolves to false when it did not come in time.
   *
   * @param atMostMs how long to wait, in milliseconds
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
      const timer = setTimeout(() => {
        this.#waiting.delete(next);
        resolve(false);
      }, atMostMs);
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
