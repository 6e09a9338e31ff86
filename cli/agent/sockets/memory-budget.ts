/** The memory that all requests share, from their first byte until their answer. */
export class MemoryBudget {
  #left: number;

  /** @param bytes how much there is */
  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** @returns false when less than that is left; nothing is taken then */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}
