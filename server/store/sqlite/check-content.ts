import { closeSync, openSync, readSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Problem } from '../../problem/problem.ts';
import { readVersion } from './read-version.ts';

/** The first bytes of each database (sqlite.org/fileformat.html, section 1.2). */
const MAGIC = 'SQLite format 3\0';

/**
 * Reads every page of a database that nobody has open, and its references. All of it is in this one file afterwards.
 *
 * @throws Problem `backup-refused` unless it is an undamaged database of Vouch, of this version or one before
 */
export function checkContent(path: string): void {
  if (firstBytes(path) !== MAGIC) throw refused('it is no SQLite database');
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA trusted_schema = OFF');
    const version = readVersion(database);
    if (version === undefined) throw refused('it is no database of Vouch');
    const [newer] = version.newer;
    if (newer !== undefined && !version.usable)
      throw refused(`a newer version of Vouch made it (this one does not know ${newer})`);
    const found = database.prepare('PRAGMA integrity_check(1)').get()?.integrity_check;
    if (found !== 'ok') throw refused(`it is damaged: ${found}`);
    const [loose] = database.prepare('PRAGMA foreign_key_check').all();
    if (loose !== undefined) throw refused(`it is damaged: a row of ${loose.table} belongs to a row that is not there`);
    // A WAL of its own would be left behind when the file is moved.
    database.exec('PRAGMA journal_mode = DELETE');
  } catch (error) {
    throw error instanceof Problem ? error : refused(`it is damaged: ${(error as Error).message}`, error);
  } finally {
    database.close();
  }
}

function firstBytes(path: string): string {
  const bytes = Buffer.alloc(MAGIC.length);
  const descriptor = openSync(path, 'r');
  try {
    readSync(descriptor, bytes);
  } finally {
    closeSync(descriptor);
  }
  return bytes.toString('latin1');
}

function refused(why: string, cause?: unknown): Problem {
  return new Problem({
    kind: 'backup-refused',
    what: `This backup cannot be used: ${why}.`,
    fix: 'Take another one. It has not touched the database.',
    cause,
  });
}
