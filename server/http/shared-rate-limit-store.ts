import type { IncrementResponse, Store as LimitStore, Options } from 'express-rate-limit';
import type { Store } from '../store/store.ts';
import { RateLimitStore } from './rate-limit-store.ts';

/**
 * How many of a limit's requests an instance counts alone, before it counts with the others: few clients get beyond that, and the others
 * cost the database nothing. None of a small limit, which is exact; each instance may let as many more through.
 */
const alone = (limit: number) => 5 * Math.floor(limit / 100);

/**
 * A rate limit's counts of all instances that share a database.
 *
 * Each request is counted in this process first. A client that is beyond the limit here alone, or was beyond it with the others' counts a
 * moment ago, is refused without asking the database: a flood costs at most as many statements as the limit lets requests through.
 */
export class SharedRateLimitStore implements LimitStore {
  readonly localKeys = false;
  readonly #store: Store;
  readonly #name: string;
  readonly #limit: number;
  readonly #now: () => number;
  readonly #here = new RateLimitStore();
  #length = 0;

  /**
   * @param name the limit's name
   * @param limit how many requests it lets through
   * @param now milliseconds since the epoch
   */
  constructor(store: Store, name: string, limit: number, now: () => number) {
    this.#store = store;
    this.#name = name;
    this.#limit = limit;
    this.#now = now;
  }

  init({ windowMs }: Pick<Options, 'windowMs'>): void {
    this.#length = windowMs;
    this.#here.init({ windowMs });
  }

  /** @throws StoreUnavailable when the database cannot count; the request would need it, too */
  async increment(key: string): Promise<IncrementResponse> {
    const here = this.#here.increment(key);
    const uncounted = alone(this.#limit);
    if (here.totalHits <= uncounted || here.totalHits > this.#limit) return here;
    // Those that it has counted alone, too, when it first counts with the others.
    const all = await this.#count(key, here.totalHits === uncounted + 1 ? here.totalHits : 1);
    this.#here.raise(key, all.totalHits);
    return all;
  }

  decrement(key: string): void {
    this.#here.decrement(key);
  }

  resetKey(key: string): void {
    this.#here.resetKey(key);
  }

  /** Adds to the count of all instances, in one atomic statement. */
  async #count(key: string, hits: number): Promise<IncrementResponse> {
    const now = this.#now();
    const end = now + this.#length;
    const { totalHits, endsAt } = await this.#store
      .insertInto('rate_limits')
      .values({ client: `${this.#name} ${key}`, hits, ends_at: end })
      .onConflict((conflict) =>
        conflict.column('client').doUpdateSet((is) => {
          // One that ends much later than any that begins now was counted with a clock that was ahead.
          const latest = end + this.#length;
          const goesOn = is.and([is('rate_limits.ends_at', '>', now), is('rate_limits.ends_at', '<=', latest)]);
          return {
            hits: is
              .case()
              .when(goesOn)
              .then(is('rate_limits.hits', '+', hits))
              .else(hits)
              .end(),
            ends_at: is.case().when(goesOn).then(is.ref('rate_limits.ends_at')).else(end).end(),
          };
        }),
      )
      .returning(['hits as totalHits', 'ends_at as endsAt'])
      .executeTakeFirstOrThrow();
    return { totalHits, resetTime: new Date(endsAt) };
  }
}
