import type { Schema } from '../store/schema.ts';
import type { Store } from '../store/store.ts';

/** A row of the audit trail, as it is stored. */
export type Row = Schema['audit'];

/** The rows after number `id`, in their order. @param limit how many at most */
export function rowsAfter(store: Store, id: number, limit: number): Promise<Row[]> {
  return store.selectFrom('audit').selectAll().where('id', '>', id).orderBy('id').limit(limit).execute();
}

/** The row with this number. */
export function findRow(store: Store, id: number): Promise<Row | undefined> {
  return store.selectFrom('audit').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Reads something. Undefined when it holds a number that JavaScript cannot: the server has written none. */
export function readable<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  return reading.catch((error: unknown) => {
    if (error instanceof RangeError) return undefined;
    throw error;
  });
}
