import { Kysely, sql } from 'kysely';
import { Problem } from '../../problem/problem.ts';
import { Mutex } from '../mutex.ts';
import { noDatabase } from '../no-database.ts';
import type { Schema } from '../schema.ts';
import { checkUsable, type SchemaVersion, schemaVersion } from '../schema-version.ts';
import { type StatementWatch, watchedBy } from '../statement-watch.ts';
import type { Store } from '../store.ts';
import { type Address, nameOf } from './address.ts';
import { PostgresDialect } from './dialect.ts';
import { migrate, readVersion } from './migrate.ts';
import type { Password } from './password.ts';
import { Pool } from './pool.ts';

/** How to reach a database. */
export interface Access {
  address: Address;
  password: Password;
  /** The most connections of this process. */
  poolSize: number;
}

/**
 * Connects to a database and brings its schema up to date.
 *
 * @param watch told of each statement
 * @throws StoreUnavailable when it cannot be reached, or whatever a migration throws
 */
export function openDatabase(access: Access, watch?: StatementWatch): Promise<{ store: Store; pool: Pool }> {
  return opened(access, (_, patient) => migrate(patient, nameOf(access.address)), watch);
}

/** Reads which version's schema a database has, and changes nothing in it. */
export async function readDatabaseVersion(access: Access): Promise<SchemaVersion> {
  let version: SchemaVersion | undefined;
  const { store } = await opened(access, async (opening) => {
    version = await readVersion(opening);
  });
  await store.destroy();
  return version ?? schemaVersion([], undefined);
}

/**
 * Connects to a database that has this version's schema, and changes nothing in it.
 *
 * @throws Problem `database-refused` when it has another schema, or is not Vouch's database
 */
export async function openExistingDatabase(access: Access): Promise<Store> {
  return (await opened(access, (store) => checkSchema(store, nameOf(access.address)))).store;
}

async function opened(
  { address, password, poolSize }: Access,
  prepare: (store: Store, patient: Store) => Promise<void>,
  watch?: StatementWatch,
): Promise<{ store: Store; pool: Pool }> {
  const database = { pool: new Pool(address, password, poolSize), mutex: new Mutex() };
  const store = new Kysely<Schema>({ dialect: new PostgresDialect(database), ...watchedBy(watch) });
  // With the same connections, for statements that may take long.
  const patient = new Kysely<Schema>({ dialect: new PostgresDialect({ ...database, patient: true }) });
  try {
    await checkSettings(store, nameOf(address));
    await prepare(store, patient);
    return { store, pool: database.pool };
  } catch (error) {
    await store.destroy();
    throw error;
  }
}

/** Names have all letters, and `pg` takes every answer for UTF-8. Nobody may hear that something is stored before it is on the disk. */
async function checkSettings(store: Store, name: string): Promise<void> {
  const { rows } = await sql<{ encoding: string; commits: string | null }>`
    select current_setting('server_encoding') as encoding, current_setting('synchronous_commit', true) as commits
  `.execute(store);
  const { encoding, commits } = rows[0] ?? { encoding: 'nothing', commits: null };
  if (encoding !== 'UTF8') {
    throw new Problem({
      kind: 'database-refused',
      what: `The encoding of the database ${name} is ${encoding}, and must be UTF8.`,
      fix: "Make another: create database … encoding 'UTF8' template template0.",
    });
  }
  if (commits === 'off') {
    throw new Problem({
      kind: 'database-refused',
      what: `In ${name}, synchronous_commit is off: what was confirmed would be lost when its machine fails.`,
      fix: 'Set it for the user of this server: alter role … set synchronous_commit = on.',
    });
  }
}

async function checkSchema(store: Store, name: string): Promise<void> {
  const version = await readVersion(store);
  if (version === undefined) throw noDatabase(`${name} is not a Vouch database yet.`);
  checkUsable(version, name);
}
