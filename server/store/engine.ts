import type { Store } from './store.ts';

/** One database, with the engine that runs it. Each engine has a folder here; nothing outside of it knows which one it is. */
export interface Engine {
  /** How people are told which database it is: without a secret, and the same wherever they ask. */
  readonly name: string;
  /** The file beside the database that keeps the master key, where none is configured. */
  readonly masterKeyFile: string;
  /**
   * Opens the database for the server: makes it if it is not there, and brings its schema up to date.
   *
   * @throws when it cannot be opened, or a migration fails; then nothing of that migration is left
   */
  open(): Promise<Store>;
  /**
   * Opens a database that has this version's schema, and changes nothing of it.
   *
   * @throws Problem `database-refused` when there is none, it has another schema, or it is not Vouch's
   */
  openExisting(): Promise<Store>;
}
