import { settingRefused } from '../../problem/setting-refused.ts';
import type { Archiving, Engine } from '../engine.ts';
import type { SchemaVersion } from '../schema-version.ts';
import type { StatementWatch } from '../statement-watch.ts';
import type { Store } from '../store.ts';
import { nameOf, readAddress } from './address.ts';
import type { Access } from './open-store.ts';
import { Password, type PasswordSource } from './password.ts';
import type { Pool } from './pool.ts';

/** PostgreSQL, or what speaks its protocol: any number of servers use one database. */
export class PostgresEngine implements Engine {
  readonly kind = 'postgres';
  readonly name: string;
  /** The instances have no folder in common. */
  readonly masterKeyFile = undefined;
  readonly #access: Access;
  #pool: Pool | undefined;

  /**
   * @param url a connection URI
   * @param source where the password is from, if it is not in the URL
   * @param poolSize the most connections
   * @throws Problem `setting-refused`
   */
  constructor(url: string, source: PasswordSource, poolSize: number) {
    const address = readAddress(url);
    this.name = nameOf(address);
    if (address.password !== undefined && source !== undefined) {
      throw settingRefused(
        'VOUCH_DATABASE_URL',
        '(a URL with a password)',
        'a URL without one, or VOUCH_DATABASE_PASSWORD_FILE and VOUCH_DATABASE_PASSWORD_COMMAND should be unset',
      );
    }
    const own = address.password === undefined ? source : { password: address.password };
    this.#access = { address, password: new Password(own), poolSize };
  }

  async open(watch?: StatementWatch): Promise<Store> {
    const { openDatabase } = await loadStore();
    const { store, pool } = await openDatabase(this.#access, watch);
    this.#pool = pool;
    return store;
  }

  connections(): { active: number; idle: number; waiting: number } | undefined {
    return this.#pool?.connections;
  }

  async openExisting(): Promise<Store> {
    const { openExistingDatabase } = await loadStore();
    return openExistingDatabase(this.#access);
  }

  async version(): Promise<SchemaVersion> {
    const { readDatabaseVersion } = await loadStore();
    return readDatabaseVersion(this.#access);
  }

  async archiving(store: Store): Promise<Archiving | undefined> {
    const { readArchiving } = await import('./archiving.ts');
    return readArchiving(store);
  }
}

/** Loaded late because it takes time, and most servers do not need it. */
function loadStore() {
  return import('./open-store.ts');
}
