import type { IncrementResponse, Options, Store } from 'express-rate-limit';

/** The most keys that are remembered, each of at most 50 bytes or so. */
const MOST = 20_000;

/**
 * Counts for a rate limit, in this process's memory, of which it takes little whatever comes: where there are too many keys, the one
 * whose window began first is forgotten, and may begin anew. So who has very many addresses is nobody else's trouble.
 */
export class WindowStore implements Store {
  readonly localKeys = true;
  /** In the order in which their windows end: all are of one length. By a clock that nobody sets. */
  readonly #windows = new Map<string, { hits: number; end: number }>();
  readonly #now: () => number;
  #length = 0;

  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  init({ windowMs }: Pick<Options, 'windowMs'>): void {
    this.#length = windowMs;
  }

  increment(key: string): IncrementResponse {
    const now = this.#now();
    let window = this.#windows.get(key);
    if (window === undefined || window.end <= now) {
      this.#windows.delete(key);
      this.#makeRoom(now);
      window = { hits: 0, end: now + this.#length };
      this.#windows.set(key, window);
    }
    window.hits += 1;
    return { totalHits: window.hits, resetTime: new Date(Date.now() + window.end - now) };
  }

  decrement(key: string): void {
    const window = this.#windows.get(key);
    if (window !== undefined && window.hits > 0) window.hits -= 1;
  }

  resetKey(key: string): void {
    this.#windows.delete(key);
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#windows.size;
  }

  #makeRoom(now: number): void {
    for (const [key, { end }] of this.#windows) {
      if (end > now && this.#windows.size < MOST) return;
      this.#windows.delete(key);
    }
  }
}
