import type { Engine } from './engine.ts';
import { PostgresEngine } from './postgres/engine.ts';
import type { PasswordSource } from './postgres/password.ts';
import { SqliteEngine } from './sqlite/engine.ts';
import { fileOfUrl } from './sqlite/url.ts';

/** What only a database on another machine needs. */
export interface Connecting {
  password: PasswordSource;
  /** The most connections. */
  poolSize: number;
}

/** PostgreSQL lets 100 connect, and several servers and people share them. */
const USUAL: Connecting = { password: undefined, poolSize: 10 };

/**
 * The engine for a database. It opens nothing yet.
 *
 * @param url VOUCH_DATABASE_URL
 * @throws Problem `setting-refused` when no engine takes this URL; it shows no password
 */
export function chooseEngine(url: string, { password, poolSize }: Connecting = USUAL): Engine {
  if (isPostgres(url)) return new PostgresEngine(url, password, poolSize);
  return new SqliteEngine(fileOfUrl(url));
}

/** Whether a URL is for PostgreSQL. */
export function isPostgres(url: string): boolean {
  return /^postgres(ql)?:/i.test(url);
}
