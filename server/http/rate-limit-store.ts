import type { IncrementResponse, Options, Store } from 'express-rate-limit';

/** How many keys it remembers. Each has about 50 bytes at most. */
const MAX_KEYS = 20_000;

/**
 * A rate limit's counts, in this process's memory. They never take much of it: when there are too many keys, the one with the oldest
 * window is forgotten, and starts again. So a client with very many addresses does not affect others.
 */
export class RateLimitStore implements Store {
  readonly localKeys = true;
  /** In the order in which they end, because all have the same length. Times are of a monotonic clock. */
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

  /** Counts at least so many for a key whose window goes on. */
  raise(key: string, hits: number): void {
    const window = this.#windows.get(key);
    if (window !== undefined) window.hits = Math.max(window.hits, hits);
  }

  decrement(key: string): void {
    const window = this.#windows.get(key);
    if (window !== undefined && window.hits > 0) window.hits -= 1;
  }

  resetKey(key: string): void {
    this.#windows.delete(key);
  }

  /** How many keys it remembers now. */
  get size(): number {
    return this.#windows.size;
  }

  #makeRoom(now: number): void {
    for (const [key, { end }] of this.#windows) {
      if (end > now && this.#windows.size < MAX_KEYS) return;
      this.#windows.delete(key);
    }
  }
}
