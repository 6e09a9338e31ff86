import type { Store } from './store.ts';

/**
 * Reads one state of the database: what others write meanwhile is not seen. It delays no writer, but the database cannot shed old data
 * while it lasts.
 *
 * @param read may only read
 */
export function readSnapshot<Result>(store: Store, read: (snapshot: Store) => Promise<Result>): Promise<Result> {
  return store.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(read);
}
