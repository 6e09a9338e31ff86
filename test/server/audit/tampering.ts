import { DatabaseSync } from 'node:sqlite';
import { LET_CHANGE } from '../../../server/store/sqlite/append-only.ts';

/** Changes a database as somebody who owns the file can: the triggers that keep the trail append-only go first. */
export function tamper(file: string, ...statements: string[]): void {
  const database = new DatabaseSync(file);
  try {
    database.exec(LET_CHANGE);
    for (const statement of statements) database.exec(statement);
  } finally {
    database.close();
  }
}
