/** Hands something that one alone may use to whoever asks, in the order in which they ask. */
export class Mutex {
  #taken = false;
  readonly #waiting = new Set<() => void>();

  /**
   * Resolves with true when it is the caller's turn, which lasts until `end`; with false when it had not come after so long.
   *
   * @param atMostMs how long to wait, in milliseconds
   */
  take(atMostMs: number): Promise<boolean> {
    if (!this.#taken) {
      this.#taken = true;
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

  /** Ends the turn: the next one has it. */
  end(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken = false;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
