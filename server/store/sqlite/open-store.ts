import { closeSync, fchmodSync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { Problem } from '../../problem/problem.ts';
import { migrations } from '../migrations/index.ts';
import type { Schema } from '../schema.ts';
import type { Store } from '../store.ts';
import { NodeSqliteDialect } from './dialect.ts';
import { migrate } from './migrate.ts';
import { Mutex } from './mutex.ts';
import { openToRead, openToWrite } from './open-database.ts';
import { sameFiles } from './same-files.ts';

/** How long the start waits for others to let go of the database, in milliseconds. */
const START_WAIT_MS = 5_000;

/**
 * Opens a database's file (made with mode 0600 if it is not there) and brings its schema up to date.
 *
 * @param file a path
 * @throws when the file cannot be opened, or a migration fails; then nothing of that migration is left
 */
export async function openFile(file: string): Promise<Store> {
  // Made first, so that SQLite never creates it (and its WAL, which takes over mode and owner) readable to others.
  const descriptor = openOrMake(file);
  fchmodSync(descriptor, 0o600);
  closeSync(descriptor);
  const writer = openToWrite(file, START_WAIT_MS);
  try {
    await migrate(writer);
    return share(file, writer);
  } catch (error) {
    writer.close();
    throw error;
  }
}

/** Makes a file only under its own name, never at the end of a link: somebody else may have put that there. */
function openOrMake(file: string): number {
  try {
    return openSync(file, 'wx+', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return openSync(file, 'r+');
  }
}

/**
 * Opens a file that has this version's schema, and changes nothing of it.
 *
 * @throws Problem `database-refused` when it has another one, or is no database of Vouch's
 */
export function openExistingFile(file: string): Store {
  // Not even its journal's mode may be changed before it is known what it is.
  const reader = openToRead(file, START_WAIT_MS);
  try {
    checkSchema(reader, file);
  } finally {
    reader.close();
  }
  return share(file, openToWrite(file, START_WAIT_MS));
}

function share(file: string, writer: DatabaseSync): Store {
  // From now on others are served: whoever must wait for a lock does so without blocking them.
  writer.exec('PRAGMA busy_timeout = 0');
  const shared = { writer, reader: openToRead(file, 0), turns: new Mutex(), checkFiles: sameFiles(file) };
  return new Kysely<Schema>({ dialect: new NodeSqliteDialect(shared) });
}

function checkSchema(database: DatabaseSync, file: string): void {
  const tables = database.prepare("select name from sqlite_master where type = 'table'").all();
  const isOurs = tables.some(({ name }) => name === 'kysely_migration');
  const done = isOurs ? database.prepare('select name from kysely_migration order by name').all() : [];
  if (done.map(({ name }) => name).join() === Object.keys(migrations).sort().join()) return;
  throw new Problem({
    kind: 'database-refused',
    what: isOurs ? `The database ${file} is of another version of Vouch.` : `${file} is no database of Vouch's.`,
    why: 'The server makes it and brings it up to date when it starts; other commands only use it.',
    fix: "Start this version's server first, or set VOUCH_DATABASE_URL as the server has it.",
  });
}
