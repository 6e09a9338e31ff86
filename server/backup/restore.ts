import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { By } from '../audit/audit.ts';
import { Problem } from '../problem/problem.ts';
import type { DatabaseFile, Engine } from '../store/engine.ts';
import type { Store } from '../store/store.ts';
import { type Content, readContent } from './content.ts';
import { type Lost, lostSince } from './lost.ts';
import { type Kept, type Settled, settleRestored } from './settle.ts';

/** What to restore, and how. */
export interface Restoring {
  issuer: string;
  keep: Kept;
  /** Whether the backup is good enough although its audit trail does not fit together, or the master key does not open its signing key. */
  force: boolean;
  /** Whether only to try: nothing is put in place. */
  dryRun: boolean;
  by: By;
  /** Makes sure that the server can use the signing key in a database. @throws Problem when it cannot */
  checkSigningKey: (store: Store) => Promise<void>;
}

/** What was restored. */
export interface Restored {
  backup: Content;
  settled: Settled;
  /** Where what was there before is now; undefined if nothing was. */
  aside: string | undefined;
  /** What the database that was there had besides; undefined if it cannot tell. */
  lost: Lost | undefined;
}

/**
 * Restores the embedded database from a backup. Everything is checked, brought up to date and settled in a draft beside it; then the draft
 * takes its place at once. Call it after the process has become the database's owner.
 *
 * @param file the database's file
 * @param source the backup
 * @param replace whether a database that is there may be put aside; it is never deleted
 * @param now milliseconds since the epoch
 * @throws Problem `database-in-use` when there is a database, or a program has it open; `backup-refused` or `database-refused` when the
 * backup is damaged, of a newer version, or another server's. Nothing has changed then.
 */
export async function restore(
  database: Engine,
  file: DatabaseFile,
  source: Readable,
  replace: boolean,
  now: number,
  how: Restoring,
): Promise<Restored> {
  const { name } = database;
  const there = file.exists();
  if (there && !replace && !how.dryRun) throw thereIsOne(name);
  if (!how.dryRun) file.checkUnused();
  const draft = file.draft();
  try {
    await pipeline(source, createWriteStream(draft, { flags: 'wx', mode: 0o600 }));
    file.check(draft);
    const { backup, settled } = await settleDraft(await file.openDraft(draft), now, how);
    const lost = there ? await lostHere(database, backup) : undefined;
    if (how.dryRun) return { backup, settled, aside: undefined, lost };
    return { backup, settled, lost, aside: file.putInPlace(draft, now) };
  } finally {
    file.discard(draft);
  }
}

/** Checks and settles an open database, and closes it. */
async function settleDraft(store: Store, now: number, how: Restoring): Promise<{ backup: Content; settled: Settled }> {
  try {
    return await settle(store, now, how);
  } finally {
    await store.destroy();
  }
}

/**
 * Checks a database that was restored, by us or by others, and settles it in one transaction.
 *
 * @throws Problem `database-refused` when it is another server's, `backup-refused` when its audit trail does not fit together
 */
export async function settle(
  store: Store,
  now: number,
  { issuer, keep, force, dryRun, by, checkSigningKey }: Restoring,
): Promise<{ backup: Content; settled: Settled }> {
  const backup = await readContent(store);
  if (backup.issuer !== issuer) throw otherServer(backup.issuer, issuer);
  if (backup.trail.fault !== undefined && !force) throw brokenTrail(backup.trail.fault.id);
  if (!force) await checkSigningKey(store);
  const { head } = backup.trail;
  const at = backup.backedUpAt ?? backup.lastRowAt;
  let settled: Settled | undefined;
  const undo = new Error('only tried');
  await store
    .transaction()
    .execute(async (transaction) => {
      settled = await settleRestored(transaction, now, { ...head, at }, keep, by);
      if (dryRun) throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  if (settled === undefined) throw new Error('the transaction did not run');
  return { backup, settled };
}

/** What the database that is there has besides the backup; undefined if it cannot be read. */
async function lostHere(database: Engine, backup: Content): Promise<Lost | undefined> {
  try {
    const store = await database.openExisting();
    return await lostSince(store, backup.trail.head).finally(() => store.destroy());
  } catch {
    // It is restored because something is wrong with it.
    return undefined;
  }
}

function thereIsOne(name: string): Problem {
  return new Problem({
    kind: 'database-in-use',
    what: `There is a database ${name} already.`,
    fix: 'Add --replace: it gets another name, and nothing of it is deleted. Or see first what would be lost: --dry-run',
  });
}

function otherServer(found: string | undefined, issuer: string): Problem {
  return new Problem({
    kind: 'database-refused',
    what: found === undefined ? 'No server has used this database yet.' : `It is the database of ${found}.`,
    why: `VOUCH_ISSUER is ${issuer}.`,
    fix: 'Take the backup of this server.',
  });
}

function brokenTrail(id: number): Problem {
  return new Problem({
    kind: 'backup-refused',
    what: `The audit trail in this backup does not fit together: at row ${id}.`,
    why: 'Somebody changed it with a program other than Vouch, or a disk damaged it.',
    fix: 'Take another backup. If there is none, --force takes this one as it is.',
  });
}
