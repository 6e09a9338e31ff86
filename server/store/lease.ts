import { randomUUID } from 'node:crypto';
import type { Store } from './store.ts';

/** This process. */
const INSTANCE: string = randomUUID();

/** How long a lease lasts, in milliseconds, if its holder does not take it again: more than two of the sweeper's minutes. */
export const LEASE_MS = 150_000;

/**
 * Work that one instance of several is enough for. Whichever asks first does it from then on; when it asks no more, another one takes its
 * place. Work that two do for a moment must do no harm: a clock may be wrong, and an instance may hang.
 */
export class Lease {
  readonly #store: Store;
  readonly #work: string;
  readonly #holder: string;

  /** @param work its name */
  constructor(store: Store, work: string, holder = INSTANCE) {
    this.#store = store;
    this.#work = work;
    this.#holder = holder;
  }

  /**
   * Takes the lease, or keeps it, in one atomic statement. Ask again each time before the work is done, and more often than LEASE_MS.
   *
   * @param now milliseconds since the epoch
   * @returns whether this instance has it now
   */
  async take(now: number): Promise<boolean> {
    const row = { work: this.#work, holder: this.#holder, taken_at: now };
    const taken = await this.#store
      .insertInto('leases')
      .values(row)
      .onConflict((conflict) =>
        conflict
          .column('work')
          .doUpdateSet(row)
          .where((is) =>
            is.or([
              is('leases.holder', '=', row.holder),
              is('leases.taken_at', '<=', now - LEASE_MS),
              // The holder's clock was far ahead.
              is('leases.taken_at', '>', now + LEASE_MS),
            ]),
          ),
      )
      .returning('holder')
      .executeTakeFirst();
    return taken !== undefined;
  }
}
