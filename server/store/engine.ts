import type { Store } from './store.ts';

/** A database and the engine that runs it. Each engine has a folder here, and nothing outside that folder depends on it. */
export interface Engine {
  readonly kind: 'sqlite' | 'postgres';
  /** The database's name for people: no secret in it, and the same wherever the server was started. */
  readonly name: string;
  /** The file beside the database that holds the master key if no other is configured; undefined if there is no such place. */
  readonly masterKeyFile: string | undefined;
  /**
   * Opens the database for the server. Makes it if there is none (SQLite), and brings its schema up to date.
   *
   * @throws when it cannot be opened, or when a migration fails; the schema is then as before
   */
  open(): Promise<Store>;
  /**
   * Opens a database that has this version's schema already.
   *
   * @throws Problem `database-refused` when there is no database, when it has another schema, or when it is not Vouch's
   */
  openExisting(): Promise<Store>;
}
