import type { Store } from '../store/store.ts';
import { chainHash } from './chain.ts';
import { findRow, type Row, readable } from './rows.ts';
import type { Fault, Link } from './verify.ts';

/** How many rows may have been removed, and the rest renumbered, for it to be recognised. */
const MOST_REMOVED = 10_000;

/** Places that are read at a time. */
const BATCH = 10_000;

/**
 * Finds out what was done, as far as it can be seen, when a row does not fit the row before: its hash still tells with which number and
 * after which row it was written.
 *
 * @param base where the chain begins
 * @param before the row before
 * @param row the first row that does not fit
 */
export async function explainMismatch(snapshot: Store, base: Link, before: Link, row: Row): Promise<Fault> {
  const next = await readable(findRow(snapshot, row.id + 1));
  // The row after it fits it: only this one is wrong.
  if (next !== undefined && isWrittenAs(next, row.hash, next.id)) return { kind: 'changed', id: row.id };
  // The row after it was written in its place: both changed places, or this one was put in.
  if (next !== undefined && isWrittenAs(next, before.hash, row.id)) {
    if (isWrittenAs(row, next.hash, next.id)) return { kind: 'reordered', id: row.id, writtenAs: next.id };
    return { kind: 'added', id: row.id };
  }
  const writtenAs = await findNumber(snapshot, base, row, next);
  if (writtenAs !== undefined) {
    const moved = row.id - writtenAs;
    // Rows were put in before it, and all that follow were renumbered.
    if (moved > 0 && (next === undefined || isWrittenAs(next, row.hash, next.id - moved))) {
      return { kind: 'added', id: writtenAs };
    }
    return { kind: 'reordered', id: row.id, writtenAs };
  }
  for (let removed = 1; next !== undefined && removed <= MOST_REMOVED; removed += 1) {
    if (isWrittenAs(next, row.hash, next.id + removed)) return { kind: 'missing', id: before.id + 1 };
  }
  return { kind: 'changed', id: row.id };
}

/** The number with which a row was written, if the row that it was written after is still there. */
async function findNumber(snapshot: Store, base: Link, row: Row, next: Row | undefined): Promise<number | undefined> {
  if (isWrittenAs(row, base.hash, base.id + 1)) return base.id + 1;
  for (let after = base.id; ; ) {
    const links = await snapshot
      .selectFrom('audit')
      .select(['id', 'hash'])
      .where('id', '>', after)
      .orderBy('id')
      .limit(BATCH)
      .execute();
    for (const { id, hash } of links) {
      after = id;
      // It was written after this one; or a whole series was turned round.
      if (isWrittenAs(row, hash, id + 1)) return id + 1;
      if (next !== undefined && isWrittenAs(row, next.hash, id)) return id;
    }
    if (links.length < BATCH) return undefined;
  }
}

function isWrittenAs(row: Row, before: string, id: number): boolean {
  return chainHash(before, { ...row, id }) === row.hash;
}
