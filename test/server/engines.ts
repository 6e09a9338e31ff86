import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { onTestFinished } from 'vitest';
import { chooseEngine } from '../../server/store/choose-engine.ts';
import type { Engine } from '../../server/store/engine.ts';
import type { Schema } from '../../server/store/schema.ts';
import { fileOfUrl } from '../../server/store/sqlite/url.ts';
import type { Store } from '../../server/store/store.ts';
import { administer, createDatabase } from '../support/postgres.ts';

export type EngineKind = Engine['kind'];

/**
 * The engine of tests that do not choose one. vitest.config.ts sets the variable for those in `on-both-engines.ts`, which are run again;
 * set by hand, it is for all.
 */
export const engineUnderTest: EngineKind = process.env.VOUCH_TEST_ENGINE === 'postgres' ? 'postgres' : 'sqlite';

/** A database that no server has used yet. */
export interface NewDatabase {
  /** What a server needs to use it. */
  settings: { VOUCH_DATABASE_URL: string; VOUCH_MASTER_KEY: string };
  /** SQLite's file; there is none of this name for PostgreSQL. */
  file: string;
  drop: () => Promise<void>;
}

/** @param how 'empty' for one without Vouch's schema, as SQLite's always is */
export async function makeDatabase(engine: EngineKind = engineUnderTest, how?: 'empty'): Promise<NewDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'v-'));
  const file = join(folder, 'vouch.db');
  const key = { VOUCH_MASTER_KEY: randomBytes(32).toString('base64') };
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  if (engine === 'sqlite') {
    return { settings: { VOUCH_DATABASE_URL: `sqlite:${file}`, ...key }, file, drop: async () => removeFolder() };
  }
  const { url, drop } = await createDatabase(how);
  return {
    settings: { VOUCH_DATABASE_URL: url, ...key },
    file,
    drop: async () => {
      removeFolder();
      await drop();
    },
  };
}

/** A database of this test alone, which goes with it. @param how as above */
export async function newDatabaseUrl(how?: 'empty'): Promise<string> {
  const { settings, drop } = await makeDatabase(engineUnderTest, how);
  onTestFinished(drop);
  return settings.VOUCH_DATABASE_URL;
}

/** Opens a database as a server does, until the test ends. */
export async function openStore(url: string): Promise<Store> {
  const store = await chooseEngine(url).open();
  onTestFinished(() => store.destroy());
  return store;
}

/** Opens a new database, until the test ends. */
export async function newStore(): Promise<Store> {
  return openStore(await newDatabaseUrl());
}

/** Opens a new database for several tests. */
export async function makeStore(): Promise<{ url: string; store: Store; close: () => Promise<void> }> {
  const { settings, drop } = await makeDatabase();
  const url = settings.VOUCH_DATABASE_URL;
  const store = await chooseEngine(url).open();
  return {
    url,
    store,
    close: async () => {
      await store.destroy();
      await drop();
    },
  };
}

/** Runs statements in a database as its owner might, with another program than Vouch. */
export async function runStatements(url: string, ...statements: string[]): Promise<void> {
  if (chooseEngine(url).kind === 'postgres') return administer(url, ...statements);
  const database = new DatabaseSync(fileOfUrl(url));
  try {
    for (const statement of statements) database.exec(statement);
  } finally {
    database.close();
  }
}

/** All that a database holds: the bytes of SQLite's files, the rows of PostgreSQL's tables. */
export async function everythingStored(url: string): Promise<string> {
  if (chooseEngine(url).kind === 'sqlite') {
    const file = fileOfUrl(url);
    return readFileSync(file, 'latin1') + readFileSync(`${file}-wal`, 'latin1');
  }
  const store = await chooseEngine(url).openExisting();
  try {
    const tables = await store.introspection.getTables();
    const rows = tables.map(({ name }) =>
      store
        .selectFrom(name as keyof Schema)
        .selectAll()
        .execute(),
    );
    return JSON.stringify(await Promise.all(rows));
  } finally {
    await store.destroy();
  }
}
