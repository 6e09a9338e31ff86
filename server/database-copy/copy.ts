import { sql } from 'kysely';
import { audit, type By } from '../audit/audit.ts';
import { type Link, type Verdict, verifyTrail } from '../audit/verify.ts';
import { Problem } from '../problem/problem.ts';
import type { Schema } from '../store/schema.ts';
import { readSnapshot } from '../store/snapshot.ts';
import type { Store, StoreTransaction } from '../store/store.ts';
import { type CopiedTable, copiedTables } from './tables.ts';

/** Rows of one statement. No table has 30 columns, and SQLite takes 32,766 values (sqlite.org/limits.html, section 9). */
const BATCH = 1_000;

type Row = Record<string, unknown>;

/** What was copied. */
export interface Copied {
  /** How many rows of each table. */
  rows: Partial<Record<keyof Schema, number>>;
  /** How many rows the audit trail has, and its last one, as in the source. */
  trail: { rows: number; head: Link };
  /** How many rows the source's audit trail has got since the copy began: what caused them is not in the copy. */
  missed: number;
}

/** A database, and how people call it. */
export interface Side {
  store: Store;
  name: string;
}

/** Told after each batch. */
export type Progress = (table: keyof Schema, copied: number, total: number) => void;

/**
 * Copies all that a team has into another database, in the state of one moment. Nothing is there before all of it is there, counted, and its
 * audit trail proven.
 *
 * @param source has this version's schema; it is only read
 * @param target has this version's schema and nothing in it
 * @param by who copies, for the target's audit trail
 * @param now milliseconds since the epoch
 * @throws Problem `database-refused` when the target is not empty, or the source has something that it cannot hold
 * @throws Problem `audit-broken` when the audit trail is not whole
 */
export async function copyDatabase(
  source: Side,
  target: Side,
  by: By,
  now: number,
  progress: Progress = () => {},
): Promise<Copied> {
  const copied = await readSnapshot(source.store, async (snapshot) => {
    const trail = whole(await verifyTrail(snapshot), source.name);
    return target.store.transaction().execute(async (transaction) => {
      await checkEmpty(transaction, target.name);
      const rows: Copied['rows'] = {};
      for (const table of copiedTables) rows[table.name] = await copyTable(snapshot, transaction, table, progress);
      await copyHead(snapshot, transaction);
      await checkCounts(transaction, rows);
      const found = whole(await verifyTrail(transaction), target.name);
      if (found.head.hash !== trail.head.hash) throw new Error('the copied audit trail ends elsewhere');
      await audit(transaction, now, {
        ...by,
        event: 'database-copied',
        detail: { lastId: trail.head.id, hash: trail.head.hash },
      });
      return { rows, trail: { rows: trail.rows, head: trail.head } };
    });
  });
  const { last_id } = await readHead(source.store);
  return { ...copied, missed: last_id - copied.trail.head.id };
}

function whole(verdict: Verdict, name: string): Verdict {
  if (verdict.fault === undefined) return verdict;
  throw new Problem({
    kind: 'audit-broken',
    what: `The audit trail in ${name} is not whole: ${verdict.fault.kind} at row ${verdict.fault.id}.`,
    fix: 'Look at it with `vouch-server audit verify` first. Nothing was copied.',
  });
}

async function checkEmpty(transaction: StoreTransaction, name: string): Promise<void> {
  const { last_id } = await readHead(transaction);
  let found = last_id === 0 ? undefined : 'audit_head';
  for (const table of copiedTables) {
    const { rows } = await sql`select 1 from ${sql.table(table.name)} limit 1`.execute(transaction);
    if (rows.length > 0) found ??= table.name;
  }
  if (found === undefined) return;
  throw new Problem({
    kind: 'database-refused',
    what: `The database ${name} is not empty: its table ${found} has rows.`,
    why: 'A server has started on it, or another copy is in it.',
    fix: 'Make a new one, and start no server on it before the copy is done.',
  });
}

/** Copies a table, in the order of its primary key. @returns how many rows */
async function copyTable(
  snapshot: Store,
  transaction: StoreTransaction,
  { name, key }: CopiedTable,
  progress: Progress,
): Promise<number> {
  const total = await countRows(snapshot, name);
  let copied = 0;
  let last: Row | undefined;
  for (;;) {
    const rows = await nextRows(snapshot, name, key, last);
    if (rows.length === 0) return copied;
    for (const row of rows) checkText(name, row);
    await transaction
      .insertInto(name)
      .values(rows as never)
      .execute();
    last = rows.at(-1);
    copied += rows.length;
    progress(name, copied, total);
  }
}

async function nextRows(
  snapshot: Store,
  name: keyof Schema,
  key: readonly string[],
  last: Row | undefined,
): Promise<Row[]> {
  const columns = sql.join(key.map((column) => sql.ref(column)));
  const after = last === undefined ? sql`` : sql`where (${columns}) > (${sql.join(key.map((column) => last[column]))})`;
  const query = sql<Row>`select * from ${sql.table(name)} ${after} order by ${columns} limit ${BATCH}`;
  return (await query.execute(snapshot)).rows;
}

/** Only SQLite can hold such a text, and no request can put one there. */
function checkText(table: string, row: Row): void {
  const wrong = Object.entries(row).find(([, value]) => typeof value === 'string' && value.includes('\0'));
  if (wrong === undefined) return;
  throw new Problem({
    kind: 'database-refused',
    what: `A row of the table ${table} has a text with U+0000 in the column ${wrong[0]}.`,
    why: 'PostgreSQL cannot hold that, and another text would not be what was stored.',
    fix: 'Nothing was copied. Find out who wrote it: Vouch does not.',
  });
}

const readHead = (store: Store) =>
  store.selectFrom('audit_head').selectAll().where('id', '=', 1).executeTakeFirstOrThrow();

async function copyHead(snapshot: Store, transaction: StoreTransaction): Promise<void> {
  const { id: _, ...head } = await readHead(snapshot);
  await transaction.updateTable('audit_head').set(head).where('id', '=', 1).execute();
}

async function countRows(store: Store, table: keyof Schema): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}`.execute(store);
  return Number(rows[0]?.count);
}

async function checkCounts(transaction: StoreTransaction, copied: Copied['rows']): Promise<void> {
  for (const [table, rows] of Object.entries(copied) as [keyof Schema, number][]) {
    const found = await countRows(transaction, table);
    if (found !== rows) throw new Error(`${rows} rows of ${table} were copied, and ${found} are there`);
  }
}
