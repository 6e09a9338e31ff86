/** A master key for tests: 32 bytes that look random. */
export const MASTER = Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 37) % 251));
