import { Problem } from '../problem/problem.ts';
import type { Store } from '../store/store.ts';
import { type Row, rowsAfter } from './rows.ts';

/** Rows that are read at a time, and so are in memory. */
const BATCH = 500;

/** A part of an export. */
export interface Part {
  rows: Row[];
  /** Rows that should be between the cursor and these rows, but are not. */
  gaps: Gap[];
}

export interface Gap {
  fromId: number;
  toId: number;
  /** Whether the server has deleted them for their age. */
  deleted: boolean;
}

/**
 * Reads the rows after a cursor, in their order, up to the last one. Numbers are given under the lock of the chain's head, so a row
 * that is committed later never has a smaller number than one that was read. A reader that goes on from the last row's number misses none
 * and gets none twice.
 *
 * @param cursor the number of the last row that the reader has; 0 for none
 * @param limit how many rows at most
 * @throws Problem `cursor-ahead` when the trail has no such row yet: it is another trail, or was restored from a backup
 */
export async function* exportRows(
  store: Store,
  cursor: number,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<Part> {
  const { last_id } = await ends(store);
  if (cursor > Number(last_id)) throw ahead(cursor, Number(last_id));
  let before = cursor;
  for (let left = limit; left > 0; ) {
    const asked = Math.min(BATCH, left);
    const rows = await rowsAfter(store, before, asked);
    if (rows.length > 0) yield { rows, gaps: await gapsIn(store, before, rows) };
    if (rows.length < asked) return;
    before = rows.at(-1)?.id ?? before;
    left -= rows.length;
  }
}

function ends(store: Store) {
  return store.selectFrom('audit_head').select(['last_id', 'base_id']).where('id', '=', 1).executeTakeFirstOrThrow();
}

/** @param before the number of the row before; 0 for none: then the first row has no gap before it */
async function gapsIn(store: Store, before: number, rows: readonly Row[]): Promise<Gap[]> {
  const gaps: Gap[] = [];
  let last = before;
  for (const { id } of rows) {
    if (id !== last + 1 && last !== 0) {
      const { base_id } = await ends(store);
      gaps.push({ fromId: last + 1, toId: id - 1, deleted: id - 1 <= Number(base_id) });
    }
    last = id;
  }
  return gaps;
}

function ahead(cursor: number, last: number): Problem {
  return new Problem({
    kind: 'cursor-ahead',
    what: `The audit trail ends at row ${last}, before the cursor ${cursor}.`,
    why: 'It was restored from a backup, or the cursor is from another server.',
    fix: 'Go on from the last of your rows that the trail still has, or begin again with --since 0.',
  });
}
