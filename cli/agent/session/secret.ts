/**
 * A secret in memory of its own, which is overwritten when it is no longer needed. A string cannot be: it stays where it is
 * until the memory is used for something else. So one is made at the moment of use alone, which every library asks for, and
 * kept nowhere.
 */
export class Secret {
  #bytes: Buffer | undefined;

  constructor(value: string) {
    // Not of the pool that Buffer.from() takes small ones of.
    this.#bytes = Buffer.alloc(Buffer.byteLength(value), value);
  }

  /** @throws Error when it was overwritten */
  reveal(): string {
    if (this.#bytes === undefined) throw new Error('The secret was dropped.');
    return this.#bytes.toString();
  }

  wipe(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }
}
