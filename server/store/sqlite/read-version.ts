import type { DatabaseSync } from 'node:sqlite';
import { type SchemaVersion, schemaVersion } from '../schema-version.ts';

/** Reads which version's schema a database has; undefined when it is not Vouch's. */
export function readVersion(database: DatabaseSync): SchemaVersion | undefined {
  const strings = (sql: string) =>
    database
      .prepare(sql)
      .all()
      .map((row) => String(Object.values(row)[0]));
  const tables = strings("select name from sqlite_master where type = 'table'");
  if (!tables.includes('kysely_migration')) return undefined;
  const [oldest] = tables.includes('schema_version') ? strings('select oldest from schema_version') : [];
  return schemaVersion(strings('select name from kysely_migration order by name'), oldest);
}
