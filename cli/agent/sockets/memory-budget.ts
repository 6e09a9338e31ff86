/** The memory that all requests share, from their first byte until they have been answered. */
export class MemoryBudget {
  #left: number;

  /** @param bytes how much there is */
  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** @returns false when there is not as much left; then nothing is taken */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#left += bytes;
  }
}
