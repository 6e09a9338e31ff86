import type { Engine } from './engine.ts';
import { SqliteEngine } from './sqlite/engine.ts';
import { fileOfUrl } from './sqlite/url.ts';

/**
 * The engine for a database. It opens nothing yet.
 *
 * @param url VOUCH_DATABASE_URL
 * @throws Problem `setting-refused` when no engine takes this URL
 */
export function chooseEngine(url: string): Engine {
  return new SqliteEngine(fileOfUrl(url));
}
