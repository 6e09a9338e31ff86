import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** How much of the file each connection keeps in memory, in KiB: SQLite's 2 MB hold the indexes of some thousand people. */
const CACHE_KIB = 8 * 1024;

/**
 * After how many pages of 4 KiB the write-ahead log is copied into the file. Pages that change with each sign-in are then copied once for
 * some hundred of them.
 */
const CHECKPOINT_PAGES = 4_000;

/**
 * Opens the connection that writes, on Node's own SQLite. WAL lets others read meanwhile; FULL makes every confirmed commit survive a
 * power cut.
 *
 * @param waitMs how long a statement may block this process while another program has the lock
 */
export function openToWrite(file: string, waitMs: number): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: waitMs });
  try {
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; ' +
        `PRAGMA cache_size = -${CACHE_KIB}; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
    );
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** Opens a connection that only reads, and so never waits for a writer. @param waitMs as above */
export function openToRead(file: string, waitMs: number): DatabaseSync {
  rollBack(file, waitMs);
  const database = new DatabaseSync(file, { timeout: waitMs, readOnly: true });
  database.exec(`PRAGMA trusted_schema = OFF; PRAGMA cache_size = -${CACHE_KIB}`);
  return database;
}

/**
 * A change of the journal mode that was cut off left a journal, which only a connection that may write can roll back
 * (sqlite.org/lockingv3.html, section 4.0).
 */
function rollBack(file: string, waitMs: number): void {
  if (!existsSync(`${file}-journal`)) return;
  const database = new DatabaseSync(file, { timeout: waitMs });
  try {
    database.exec('SELECT 1 FROM sqlite_master');
  } finally {
    database.close();
  }
}
