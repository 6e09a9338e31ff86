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
  /** Revokes signing keys in a database. @returns the names of those that were not revoked there yet */
  revokeKeys: (store: Store, kids: readonly string[]) => Promise<string[]>;
}

/** What was restored. */
export interface Restored {
  backup: Content;
  settled: Settled;
  /** The signing keys that had been revoked since the backup, and are revoked again. */
  revoked: string[];
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
    const revokedHere = there ? await readRevoked(database) : [];
    const { backup, settled, revoked } = await settleDraft(await file.openDraft(draft), now, how, revokedHere);
    const lost = there ? await lostHere(database, backup) : undefined;
    if (how.dryRun) return { backup, settled, revoked, aside: undefined, lost };
    return { backup, settled, revoked, lost, aside: file.putInPlace(draft, now) };
  } finally {
    file.discard(draft);
  }
}

/**
 * Checks and settles an open database, and closes it.
 *
 * @param revokedHere the signing keys that the server must not use again: with one of them, whoever had it would be anybody at AWS
 */
async function settleDraft(
  store: Store,
  now: number,
  how: Restoring,
  revokedHere: readonly string[],
): Promise<Pick<Restored, 'backup' | 'settled' | 'revoked'>> {
  try {
    const done = await settle(store, now, how);
    return { ...done, revoked: await how.revokeKeys(store, revokedHere) };
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

/** The signing keys that were revoked in the database that is there; none if it cannot be read. */
async function readRevoked(database: Engine): Promise<string[]> {
  try {
    const store = await database.openExisting();
    const revoked = store.selectFrom('signing_keys').select('kid').where('revoked_at', 'is not', null);
    const rows = await revoked.execute().finally(() => store.destroy());
    return rows.map(({ kid }) => kid);
  } catch {
    return [];
  }
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
