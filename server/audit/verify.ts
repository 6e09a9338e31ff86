import type { Store } from '../store/store.ts';
import { chainHash } from './chain.ts';
import { explainMismatch } from './explain-mismatch.ts';
import { readable, rowsAfter } from './rows.ts';
import { type Trim, trimsOf } from './trims.ts';

/** Rows that are read at a time. */
const BATCH = 2_000;

/** A place in the chain: a row's ID and hash. ID 0, with an empty hash, is the place before the first row. */
export interface Link {
  id: number;
  hash: string;
}

/** What is wrong with the trail, and where it shows first. */
export interface Fault {
  /**
   * `changed`: a row is not what was written after the row before. `missing`: rows are gone. `added`: nobody wrote a row here.
   * `reordered`: a row was written with another number. `base`, `head`: the chain begins, or ends, elsewhere than is recorded.
   */
  kind: 'changed' | 'missing' | 'added' | 'reordered' | 'base' | 'head';
  /** The first row that it concerns. */
  id: number;
  /** The number with which a reordered row was written. */
  writtenAs?: number;
}

/** What was found in one state of the trail. */
export interface Verdict {
  /** The last row that was deleted for its age. */
  base: Link;
  /** The last row, as recorded. */
  head: Link;
  /** How many rows were checked. */
  rows: number;
  /** The first thing that is wrong. */
  fault?: Fault;
}

/**
 * Checks the whole trail: that no row was changed, removed, added or reordered, and that it begins and ends where it should.
 *
 * @param snapshot a database that stays as it is meanwhile (readSnapshot)
 */
export async function verifyTrail(snapshot: Store): Promise<Verdict> {
  const ends = await readable(snapshot.selectFrom('audit_head').selectAll().where('id', '=', 1).executeTakeFirst());
  const base = { id: Number(ends?.base_id), hash: String(ends?.base_hash) };
  const head = { id: Number(ends?.last_id), hash: String(ends?.last_hash) };
  if (!Number.isSafeInteger(head.id)) return { base, head, rows: 0, fault: { kind: 'head', id: 0 } };
  if (!Number.isSafeInteger(base.id)) return { base, head, rows: 0, fault: { kind: 'base', id: 0 } };
  const walk = await walkRows(snapshot, base, head);
  // A wrong base shows as a wrong first row, too.
  const later = walk.fault !== undefined && walk.fault.id > base.id + 1;
  const fault = later ? walk.fault : ((await checkBase(snapshot, base)) ?? walk.fault);
  return { base, head, rows: walk.rows, ...(fault === undefined ? {} : { fault }) };
}

/** Follows the chain from its base to its head. */
async function walkRows(snapshot: Store, base: Link, head: Link): Promise<{ rows: number; fault?: Fault }> {
  let before = base;
  let rows = 0;
  const wrong = (kind: Fault['kind'], id: number) => ({ rows, fault: { kind, id } });
  let limit = BATCH;
  for (;;) {
    const batch = await readable(rowsAfter(snapshot, before.id, limit));
    if (batch === undefined) {
      if (limit === 1) return wrong('changed', before.id + 1);
      limit = 1;
      continue;
    }
    for (const row of batch) {
      if (row.id !== before.id + 1 && before.id < head.id) return wrong('missing', before.id + 1);
      const fits = chainHash(before.hash, row) === row.hash;
      // A row after the recorded end may be somebody's addition, or the record is wrong: only its hash tells.
      if (row.id > head.id) return wrong(fits && before.id === head.id ? 'head' : 'added', row.id);
      if (!fits) return { rows, fault: await explainMismatch(snapshot, base, before, row) };
      before = { id: row.id, hash: row.hash };
      rows += 1;
    }
    if (batch.length < limit) break;
  }
  if (before.id < head.id) return wrong('missing', before.id + 1);
  if (before.hash !== head.hash) return wrong('head', head.id);
  return { rows };
}

/** The base must be where the last deletion ended, and each deletion must have gone on where the one before ended. */
async function checkBase(snapshot: Store, base: Link): Promise<Fault | undefined> {
  const wrong = { kind: 'base' as const, id: base.id };
  const trims = await trimsOf(snapshot);
  const last = trims.at(-1) ?? { toId: 0, hash: '' };
  if (last.toId !== base.id || last.hash !== base.hash) return wrong;
  if (trims.some((trim, index) => index > 0 && trim.fromId !== (trims[index - 1] as Trim).toId + 1)) return wrong;
  const putBack = await snapshot
    .selectFrom('audit')
    .select('id')
    .where('id', '<=', base.id)
    .limit(1)
    .executeTakeFirst();
  return putBack === undefined ? undefined : { kind: 'added', id: putBack.id };
}
