import { Problem } from '../problem/problem.ts';
import { migrations, OLDEST_VERSION } from './migrations/index.ts';
import type { Store } from './store.ts';

/** How a database's schema stands to this version of the server. */
export interface SchemaVersion {
  /** Migrations that the database has not had. */
  pending: readonly string[];
  /** Migrations of a newer version that it has had. */
  newer: readonly string[];
  /** Whether this version can use it as it is. */
  usable: boolean;
}

const known: () => readonly string[] = () => Object.keys(migrations).sort();

/**
 * Compares a database's schema with this version's. While a newer version is rolled out, the schema is ahead: as long as the newer one has
 * only added to it, servers of this version go on, and start.
 *
 * @param done the names of the migrations that the database has had
 * @param oldest the last migration that a server must know, as the database says it; undefined if it does not
 */
export function schemaVersion(done: readonly string[], oldest: string | undefined): SchemaVersion {
  const pending = known().filter((name) => !done.includes(name));
  const newer = done.filter((name) => !Object.hasOwn(migrations, name));
  const understood = newer.length === 0 || (oldest !== undefined && Object.hasOwn(migrations, oldest));
  return { pending, newer, usable: pending.length === 0 && understood };
}

/** Writes down, after the migrations, which version a server must at least be. A version that is rolled back changes nothing. */
export async function recordOldest(store: Store): Promise<void> {
  // Tests make schemas of earlier versions, which have no such table.
  if (!Object.hasOwn(migrations, OLDEST_VERSION)) return;
  await store
    .updateTable('schema_version')
    .set({ oldest: OLDEST_VERSION })
    .where('oldest', '<', OLDEST_VERSION)
    .execute();
}

/**
 * Refuses a schema that has something that this version does not know and needs.
 *
 * @throws Problem `database-refused`
 */
export function checkNotNewer({ newer, pending, usable }: SchemaVersion, name: string): void {
  if (usable || newer.length === 0) return;
  throw new Problem({
    kind: 'database-refused',
    what: `The database ${name} belongs to a newer version of Vouch (${newer.join(', ')}), and this one cannot use it.`,
    ...(pending.length === 0 ? {} : { why: `It also lacks ${pending.join(', ')}.` }),
    fix: 'Start the newer version, or restore a backup from before it.',
  });
}

/**
 * Refuses a schema that a command cannot use as it is.
 *
 * @throws Problem `database-refused`
 */
export function checkUsable(version: SchemaVersion, name: string): void {
  checkNotNewer(version, name);
  if (version.usable) return;
  throw new Problem({
    kind: 'database-refused',
    what: `The database ${name} belongs to an older version of Vouch.`,
    why: 'The server brings it up to date when it starts; other commands only use it.',
    fix: "Start this version's server first, or run `vouch-server migrate`.",
  });
}
