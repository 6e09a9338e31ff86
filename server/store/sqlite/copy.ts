import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Problem } from '../../problem/problem.ts';
import { openToRead } from './open-database.ts';

/** How long to wait for other programs to let go of the database, in milliseconds. */
const WAIT_MS = 5_000;

/** After this, a copy beside the database is one that somebody killed in the making. In milliseconds. */
const LEFT_BEHIND_MS = 24 * 3600_000;

/**
 * Copies a database, in the state of one moment, while others read and write it. The copy is one file of mode 0600 without a WAL, holds
 * nothing that was deleted, and says in `server` of when it is.
 *
 * `VACUUM INTO` reads within one transaction, so no writer makes it begin again, as `sqlite3_backup_step` would (sqlite.org/lang_vacuum.html,
 * section 2; sqlite.org/c3ref/backup_finish.html).
 *
 * @param now milliseconds since the epoch
 * @returns the copy's path: beside the database, where its owner may write
 */
export function copyBeside(file: string, now: number): string {
  removeLeftBehind(file, now);
  checkSpace(file);
  const copy = nameBeside(file, 'copy');
  // SQLite takes an empty file, and would itself make one that others can read.
  closeSync(openSync(copy, 'wx', 0o600));
  try {
    const source = openToRead(file, WAIT_MS);
    try {
      source.prepare('VACUUM INTO ?').run(copy);
    } finally {
      source.close();
    }
    const database = new DatabaseSync(copy);
    try {
      database.prepare('UPDATE server SET backed_up_at = ?').run(now);
    } finally {
      database.close();
    }
    return copy;
  } catch (error) {
    rmSync(copy, { force: true });
    throw error;
  }
}

/** A name for a file beside the database that nobody else has. @param what it is for */
export function nameBeside(file: string, what: 'copy' | 'restore'): string {
  return `${file}.${what}-${randomUUID()}`;
}

function removeLeftBehind(file: string, now: number): void {
  const name = /\.(copy|restore)-[0-9a-f-]{36}(-wal|-shm|-journal)?$/;
  for (const other of readdirSync(dirname(file))) {
    if (!other.startsWith(`${basename(file)}.`) || !name.test(other)) continue;
    const path = join(dirname(file), other);
    const { mtimeMs = now } = statSync(path, { throwIfNoEntry: false }) ?? {};
    if (mtimeMs < now - LEFT_BEHIND_MS) rmSync(path, { force: true });
  }
}

/** A copy that filled the disk would stop the server. */
function checkSpace(file: string): void {
  const needed = [file, `${file}-wal`].reduce(
    (sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
  const { bavail, bsize } = statfsSync(dirname(file));
  if (bavail * bsize > needed * 1.1) return;
  throw new Problem({
    kind: 'backup-failed',
    what: `There is too little room beside ${file}: a copy takes ${megabytes(needed)}, and ${megabytes(bavail * bsize)} are free.`,
    why: 'The copy is made there first, and a full disk would stop the server.',
    fix: 'Make room on that disk.',
  });
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 1_000_000)} MB`;
