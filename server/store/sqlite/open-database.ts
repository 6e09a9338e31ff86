import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { QueryResult } from 'kysely';

/**
 * Opens the connection that writes, on Node's own SQLite. WAL lets others read meanwhile; FULL makes every confirmed commit survive a
 * power cut.
 *
 * @param waitMs how long a statement may block this process while another program has the lock
 */
export function openToWrite(file: string, waitMs: number): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: waitMs });
  try {
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF',
    );
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** Opens a connection that only reads, and so never waits for a writer. @param waitMs as above */
export function openToRead(file: string, waitMs: number): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: waitMs, readOnly: true });
  database.exec('PRAGMA trusted_schema = OFF');
  return database;
}

/** Runs one statement to its end. */
export function execute<Row>(
  database: DatabaseSync,
  { sql, parameters }: { sql: string; parameters: readonly unknown[] },
): QueryResult<Row> {
  const statement = database.prepare(sql);
  const values = parameters as SQLInputValue[];
  if (statement.columns().length > 0) return { rows: statement.all(...values) as Row[] };
  const { changes, lastInsertRowid } = statement.run(...values);
  return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
}
