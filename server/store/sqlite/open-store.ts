import { closeSync, existsSync, fchmodSync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { noDatabase } from '../no-database.ts';
import type { Schema } from '../schema.ts';
import { checkUsable, type SchemaVersion, schemaVersion } from '../schema-version.ts';
import { type StatementWatch, watchedBy } from '../statement-watch.ts';
import type { Store } from '../store.ts';
import { SqliteDatabase } from './connection.ts';
import { NodeSqliteDialect } from './dialect.ts';
import { migrate } from './migrate.ts';
import { openToRead, openToWrite } from './open-database.ts';
import { readVersion } from './read-version.ts';
import { sameFiles } from './same-files.ts';
import { Writer } from './writer.ts';

/** How long opening waits for other programs to let go of the database, in milliseconds. */
const START_WAIT_MS = 5_000;

/**
 * Opens a database file and brings its schema up to date. Makes the file, with mode 0600, if there is none.
 *
 * @param file a path
 * @param watch told of each statement
 * @throws when the file cannot be opened, or when a migration fails; the schema is then as before
 */
export async function openFile(file: string, watch?: StatementWatch): Promise<Store> {
  // SQLite would create it (and the WAL, with the same mode) readable by others.
  const descriptor = openOrMake(file);
  fchmodSync(descriptor, 0o600);
  closeSync(descriptor);
  const writer = openToWrite(file, START_WAIT_MS);
  try {
    await migrate(writer, file);
    return share(file, writer, watch);
  } catch (error) {
    writer.close();
    throw error;
  }
}

/** Never makes the file at the end of a link, which somebody else may have put there. */
function openOrMake(file: string): number {
  try {
    return openSync(file, 'wx+', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return openSync(file, 'r+');
  }
}

/**
 * Opens a file that has this version's schema, and changes nothing in it.
 *
 * @throws Problem `database-refused` when it has another schema, or is not Vouch's database
 */
export function openExistingFile(file: string): Store {
  // It may still be another program's, so not even its journal mode may change.
  const reader = openToRead(file, START_WAIT_MS);
  try {
    checkSchema(reader, file);
  } finally {
    reader.close();
  }
  return share(file, openToWrite(file, START_WAIT_MS));
}

function share(file: string, writer: DatabaseSync, watch?: StatementWatch): Store {
  // From here on requests are served, and waiting for a lock must not block them.
  writer.exec('PRAGMA busy_timeout = 0');
  // Makes the WAL, which a database that was copied does not have yet.
  writer.exec('SELECT 1 FROM sqlite_master');
  const database = new SqliteDatabase(new Writer(writer, sameFiles(file)), () => openToRead(file, 0));
  return new Kysely<Schema>({ dialect: new NodeSqliteDialect(database), ...watchedBy(watch) });
}

function checkSchema(database: DatabaseSync, file: string): void {
  const version = readVersion(database);
  if (version === undefined) throw noDatabase(`${file} is not a Vouch database.`);
  checkUsable(version, file);
}

/** Reads which version's schema a file has, and changes nothing in it. A file that is not there has none. */
export function readFileVersion(file: string): SchemaVersion {
  if (!existsSync(file)) return schemaVersion([], undefined);
  const reader = openToRead(file, START_WAIT_MS);
  try {
    return readVersion(reader) ?? schemaVersion([], undefined);
  } finally {
    reader.close();
  }
}
