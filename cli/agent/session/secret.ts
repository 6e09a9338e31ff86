/**
 * A secret in memory of its own, which can be overwritten. A string cannot: it stays in memory until that is reused. Libraries want
 * strings, so one is made at the moment of use, and kept nowhere.
 */
export class Secret {
  #bytes: Buffer | undefined;

  constructor(value: string) {
    // Buffer.from() would take the memory from a shared pool.
    this.#bytes = Buffer.alloc(Buffer.byteLength(value), value);
  }

  /** @throws Error after `wipe` */
  reveal(): string {
    if (this.#bytes === undefined) throw new Error('The secret was dropped.');
    return this.#bytes.toString();
  }

  wipe(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }
}
