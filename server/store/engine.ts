import type { SchemaVersion } from './schema-version.ts';
import type { StatementWatch } from './statement-watch.ts';
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
   * @param watch told of each statement
   * @throws when it cannot be opened, or when a migration fails; the schema is then as before
   */
  open(watch?: StatementWatch): Promise<Store>;
  /**
   * Opens a database that has this version's schema already.
   *
   * @throws Problem `database-refused` when there is no database, when it has another schema, or when it is not Vouch's
   */
  openExisting(): Promise<Store>;
  /** Reads which version's schema the database has, and changes nothing. A database that is not there yet has none of it. */
  version(): Promise<SchemaVersion>;
  /** The connections of what `open` opened; undefined for a database that is a file. */
  connections(): { active: number; idle: number; waiting: number } | undefined;
  /** The database's file, if it is one: a database server backs up and restores its own. Ask before root becomes another user. */
  file?(): Promise<DatabaseFile>;
  /** What a database server says of its own continuous archiving; undefined if it says nothing. */
  archiving?(store: Store): Promise<Archiving | undefined>;
}

/** A database server's continuous archiving, which can put it back to any moment. Times are milliseconds since the epoch. */
export interface Archiving {
  on: boolean;
  /** When it last archived something; null for never. */
  lastAt: number | null;
  /** When it last failed to; null if it has succeeded since. */
  failingSince: number | null;
}

/** A database that is a file: what backing it up and restoring it take. All paths are of files in its folder. */
export interface DatabaseFile {
  /** Switches a process of root to the owner of the database, or of its folder. */
  becomeOwner(): void;
  /**
   * Copies the database, in the state of one moment, while others use it.
   *
   * @param now milliseconds since the epoch
   * @returns the copy's path
   * @throws Problem `backup-failed` when there is too little room for it
   */
  copy(now: number): string;
  /** Whether there is a database, or anything that one has left. */
  exists(): boolean;
  /** @throws Problem `database-in-use` when another program has the database open */
  checkUnused(): void;
  /** A path that nobody else has. */
  draft(): string;
  /**
   * Reads all of a database that nobody has open, and leaves it without a WAL.
   *
   * @throws Problem `backup-refused` unless it is an undamaged database of Vouch, of this version or one before
   */
  check(path: string): void;
  /** Opens a database beside this one, and brings its schema up to date. */
  openDraft(path: string): Promise<Store>;
  /**
   * Puts a closed draft in the database's place, at once.
   *
   * @param now milliseconds since the epoch: what was there gets a name with this time, and nothing of it is deleted
   * @returns that name; undefined if nothing was there
   * @throws Problem `database-in-use`
   */
  putInPlace(draft: string, now: number): string | undefined;
  /** Removes a copy, or a draft that was not put in place. */
  discard(path: string): void;
}
