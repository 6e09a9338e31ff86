import { setImmediate } from 'node:timers/promises';
import type { Store, StoreTransaction } from '../store/store.ts';
import { audit } from './audit.ts';
import { type Signer, signDeletion } from './checkpoint.ts';
import type { Link } from './verify.ts';

const DAY_MS = 24 * 3600_000;

/** The most rows that one transaction deletes: other writes wait for it. */
const MOST = 2_000;

/** The most rows that one statement deletes: the embedded database blocks the whole server while it does, and lets it go on after it. */
const BATCH = 200;

/**
 * Deletes the oldest rows when they are too old, and keeps the chain provable: the last deleted row becomes the chain's base, and a row
 * 'audit-trimmed' tells of it, signed, all in one transaction. Only a beginning of the chain is ever deleted: an old row after a younger
 * one (the clock was set back) waits for that one to go. Rows are collected for a day, or until there are many.
 *
 * @param auditDays how many days rows are kept
 * @param now milliseconds since the epoch
 */
export async function trimAudit(store: Store, signer: Signer, auditDays: number, now: number): Promise<void> {
  while (await trimOnce(store, signer, now - auditDays * DAY_MS, now)) await setImmediate();
}

/** @returns whether there may be more to delete at once */
async function trimOnce(store: Store, signer: Signer, oldest: number, now: number): Promise<boolean> {
  const { base_id, base_hash } = await store
    .selectFrom('audit_head')
    .select(['base_id', 'base_hash'])
    .where('id', '=', 1)
    .executeTakeFirstOrThrow();
  const base = { id: Number(base_id), hash: base_hash };
  const [first] = await rowsFrom(store, base.id, 1);
  if (!isOld(first, oldest)) return false;
  const [another] = await rowsFrom(store, base.id + MOST - 1, 1);
  const many = isOld(another, oldest);
  if (!many && (await trimmedToday(store, now))) return false;
  const last = await lastOldRow(store, base.id, oldest);
  if (last === undefined) return false;
  const signed = await signDeletion(signer, last, oldest, now);
  await store.transaction().execute(async (transaction) => {
    if (!(await moveBase(transaction, base.id, last))) return;
    for (let id = base.id + BATCH; id < last.id + BATCH; id += BATCH) {
      await transaction.deleteFrom('audit').where('id', '<=', Math.min(id, last.id)).execute();
      await setImmediate();
    }
    await audit(transaction, now, {
      event: 'audit-trimmed',
      actor: 'server',
      detail: { fromId: base.id + 1, toId: last.id, hash: last.hash, signed },
    });
  });
  return many;
}

/** The last row of the chain's beginning that is too old. */
async function lastOldRow(store: Store, baseId: number, oldest: number): Promise<Link | undefined> {
  const rows = await rowsFrom(store, baseId, MOST);
  const young = rows.findIndex((row) => !isOld(row, oldest));
  return young === -1 ? rows.at(-1) : rows[young - 1];
}

function rowsFrom(store: Store, after: number, limit: number) {
  return store
    .selectFrom('audit')
    .select(['id', 'at', 'hash'])
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
}

function isOld(row: { at: number } | undefined, oldest: number): boolean {
  return row !== undefined && Number(row.at) <= oldest;
}

async function trimmedToday(store: Store, now: number): Promise<boolean> {
  const last = await store
    .selectFrom('audit')
    .select('at')
    .where('event', '=', 'audit-trimmed')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last !== undefined && Math.abs(now - Number(last.at)) < DAY_MS;
}

/** False when another server was faster. */
async function moveBase(transaction: StoreTransaction, from: number, { id, hash }: Link): Promise<boolean> {
  const moved = await transaction
    .updateTable('audit_head')
    .set({ base_id: id, base_hash: hash })
    .where('id', '=', 1)
    .where('base_id', '=', from)
    .returning('id')
    .executeTakeFirst();
  return moved !== undefined;
}
