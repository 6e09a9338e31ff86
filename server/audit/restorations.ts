import type { Store } from '../store/store.ts';
import type { Place } from './checkpoint.ts';
import { detailOf } from './json.ts';

/** A restore from a backup, as the trail tells it. Times are milliseconds since the epoch. */
export interface Restoration {
  /** The row that tells it. */
  id: number;
  at: number;
  /** The last row that the backup had. */
  lastId: number;
}

/**
 * The restore that may have lost a row of the trail: the first one after the row was written, from a backup that did not have it. Whoever
 * owns the database can write such a row, too: it explains, and proves nothing.
 */
export async function restorationAfter(store: Store, { id, at }: Place): Promise<Restoration | undefined> {
  const rows = await store
    .selectFrom('audit')
    .select(['id', 'at', 'detail'])
    .where('event', '=', 'database-restored')
    .where('id', '<=', id)
    .where('at', '>=', at)
    .orderBy('id')
    .execute();
  const found = rows.map((row) => ({ id: row.id, at: row.at, lastId: Number(detailOf(row).lastId) }));
  return found.find(({ lastId }) => lastId < id);
}
