import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { chooseEngine } from '../../server/store/choose-engine.ts';
import type { Engine } from '../../server/store/engine.ts';
import type { Store } from '../../server/store/store.ts';
import { createDatabase } from '../support/postgres.ts';

export type EngineKind = Engine['kind'];

/** The engine of tests that do not choose one. vitest.config.ts sets the variable for those in `on-both-engines.ts`; set by hand, all run on it. */
const USUAL: EngineKind = process.env.VOUCH_TEST_ENGINE === 'postgres' ? 'postgres' : 'sqlite';

/** A database that no server has used yet. */
export interface NewDatabase {
  /** What a server needs to use it. */
  settings: { VOUCH_DATABASE_URL: string; VOUCH_MASTER_KEY?: string };
  /** SQLite's file; there is none of this name for PostgreSQL. */
  file: string;
  drop: () => Promise<void>;
}

export async function makeDatabase(engine: EngineKind = USUAL): Promise<NewDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'v-'));
  const file = join(folder, 'vouch.db');
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  if (engine === 'sqlite') {
    return { settings: { VOUCH_DATABASE_URL: `sqlite:${file}` }, file, drop: async () => removeFolder() };
  }
  const { url, drop } = await createDatabase();
  return {
    settings: { VOUCH_DATABASE_URL: url, VOUCH_MASTER_KEY: randomBytes(32).toString('base64') },
    file,
    drop: async () => {
      removeFolder();
      await drop();
    },
  };
}

/** Opens a database as a server does, until the test ends. */
export async function openStore(url: string): Promise<Store> {
  const store = await chooseEngine(url).open();
  onTestFinished(() => store.destroy());
  return store;
}

/** A database of this test alone, which goes with it. */
export async function newDatabaseUrl(engine: EngineKind = USUAL): Promise<string> {
  const { settings, drop } = await makeDatabase(engine);
  onTestFinished(drop);
  return settings.VOUCH_DATABASE_URL;
}

/** Opens a new database, until the test ends. */
export async function newStore(engine: EngineKind = USUAL): Promise<Store> {
  return openStore(await newDatabaseUrl(engine));
}
