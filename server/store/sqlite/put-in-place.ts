import { existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { flush } from '../../files/flush.ts';
import { lacksHardLinks } from '../../files/hard-links.ts';
import { Problem } from '../../problem/problem.ts';
import { openToRead } from './open-database.ts';

/** SQLite's primary result codes (sqlite.org/rescode.html). */
const [SQLITE_BUSY, SQLITE_LOCKED] = [5, 6];

/** What SQLite keeps beside a database. */
export const BESIDE = ['-wal', '-shm', '-journal'];

/**
 * Puts a database in the place of another, at once: there is always one of them. What was there gets another name, and nothing of it is
 * deleted; a WAL of its own never gets to the new one.
 *
 * @param fresh a whole database in the same folder, which nobody has open
 * @param aside the other name
 * @returns whether something was there
 * @throws Problem `database-in-use` when another program has the database open
 */
export function putInPlace(fresh: string, file: string, aside: string): boolean {
  flush(fresh);
  const held = existsSync(file) ? hold(file) : undefined;
  try {
    // Only a database that could not be opened, or that was removed, still has these.
    for (const ending of BESIDE.filter((each) => existsSync(file + each))) renameSync(file + ending, aside + ending);
    const replaced = existsSync(file);
    if (replaced) keep(file, aside);
    renameSync(fresh, file);
    flush(dirname(file));
    return replaced;
  } finally {
    held?.close();
  }
}

/**
 * Locks a database for everybody else, with all of it in one file. A server that is not at work holds a shared lock, too, because the
 * database is in WAL mode (sqlite.org/wal.html, section 9).
 *
 * @returns undefined for a file that is no database any more
 */
function hold(file: string): DatabaseSync | undefined {
  // What writes would delete the WAL of a file that is damaged.
  const reader = run(() => openToRead(file, 0), 'SELECT 1 FROM sqlite_master');
  reader?.close();
  const open = () => new DatabaseSync(file, { timeout: 0 });
  return reader && run(open, 'PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
}

function run(open: () => DatabaseSync, sql: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = open();
    database.exec(sql);
    return database;
  } catch (error) {
    database?.close();
    const { errcode } = error as { errcode?: number };
    if (errcode === undefined || ![SQLITE_BUSY, SQLITE_LOCKED].includes(errcode & 0xff)) return undefined;
    throw inUse();
  }
}

/** @throws Problem `database-in-use` when another program has the database open */
export function checkUnused(file: string): void {
  if (existsSync(file)) hold(file)?.close();
}

function inUse(): Problem {
  return new Problem({
    kind: 'database-in-use',
    what: 'Another program has the database open.',
    why: 'A server that runs would go on with the old one, and all that it writes would be lost.',
    fix: 'Stop the server, and every command of vouch-server, first.',
  });
}

/** Gives a file a second name. Where there are no hard links, the file is without a name for a moment. */
function keep(file: string, aside: string): void {
  try {
    linkSync(file, aside);
  } catch (error) {
    if (!lacksHardLinks(error)) throw error;
    renameSync(file, aside);
  }
}

/** Removes a database that was never put in place. */
export function discard(fresh: string): void {
  for (const ending of ['', ...BESIDE]) rmSync(fresh + ending, { force: true });
}
