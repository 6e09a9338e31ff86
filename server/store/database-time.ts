import { sql } from 'kysely';
import type { Store } from './store.ts';

/** The clock of the machine that has the database, in milliseconds since the epoch. An embedded database has this machine's. */
export async function databaseTime(store: Store): Promise<number> {
  const { rows } = await sql<{ at: number }>`select extract(epoch from clock_timestamp()) * 1000 as at`.execute(store);
  return Number(rows[0]?.at);
}
