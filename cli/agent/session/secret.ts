/**
 * A secret in its own memory, which can be overwritten. A string cannot be: it stays until its memory is reused. Libraries want
 * strings, so `reveal` makes one at the moment of use, and nothing keeps it.
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
