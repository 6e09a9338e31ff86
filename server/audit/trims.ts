import type { Store } from '../store/store.ts';
import { detailOf } from './json.ts';

/** A deletion of the oldest rows for their age, as the trail tells it. */
export interface Trim {
  /** The row that tells it. */
  id: number;
  at: number;
  fromId: number;
  toId: number;
  /** The hash of row `toId`. */
  hash: string;
  /** The same, signed by the server (signDeletion). */
  signed: string;
}

/** All deletions that the trail still tells, the oldest first. */
export async function trimsOf(store: Store): Promise<Trim[]> {
  const rows = await store
    .selectFrom('audit')
    .select(['id', 'at', 'detail'])
    .where('event', '=', 'audit-trimmed')
    .orderBy('id')
    .execute();
  return rows.map(({ id, at, detail }) => {
    // The rows may not have been checked.
    const said = detailOf({ detail: String(detail) });
    return {
      id,
      at: Number(at),
      fromId: Number(said.fromId),
      toId: Number(said.toId),
      hash: String(said.hash),
      signed: String(said.signed),
    };
  });
}
