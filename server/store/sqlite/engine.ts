import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DatabaseFile, Engine } from '../engine.ts';
import { noDatabase } from '../no-database.ts';
import type { SchemaVersion } from '../schema-version.ts';
import type { StatementWatch } from '../statement-watch.ts';
import type { Store } from '../store.ts';
import { becomeOwnerOf } from './owner.ts';

/**
 * The embedded engine: SQLite, in one file. A process started by root switches to the file's owner, so that the owner can open its
 * files.
 */
export class SqliteEngine implements Engine {
  readonly kind = 'sqlite';
  readonly name: string;
  readonly masterKeyFile: string;

  constructor(file: string) {
    this.name = resolve(file);
    this.masterKeyFile = `${this.name}.key`;
  }

  async open(watch?: StatementWatch): Promise<Store> {
    const { openFile } = await loadStore();
    becomeOwnerOf(this.name);
    return openFile(this.name, watch);
  }

  connections(): undefined {}

  async openExisting(): Promise<Store> {
    const { openExistingFile } = await loadStore();
    if (!existsSync(this.name) || statSync(this.name).size === 0)
      throw noDatabase(`There is no database ${this.name}.`);
    becomeOwnerOf(this.name);
    return openExistingFile(this.name);
  }

  async version(): Promise<SchemaVersion> {
    const { readFileVersion } = await loadStore();
    becomeOwnerOf(this.name);
    return readFileVersion(this.name);
  }

  async file(): Promise<DatabaseFile> {
    const { SqliteFile } = await import('./database-file.ts');
    return new SqliteFile(this.name);
  }
}

/** Loaded late because it takes time, but before root becomes another user, who may not read the program's files. */
function loadStore() {
  return import('./open-store.ts');
}
