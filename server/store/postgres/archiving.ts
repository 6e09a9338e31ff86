import { sql } from 'kysely';
import type { Archiving } from '../engine.ts';
import type { Store } from '../store.ts';

/**
 * What PostgreSQL says of its own continuous archiving (its manual, section "Continuous Archiving and Point-in-Time Recovery").
 *
 * @returns undefined if this database server says nothing of it: it only speaks PostgreSQL's protocol, or this user may not ask
 */
export async function readArchiving(store: Store): Promise<Archiving | undefined> {
  try {
    const { rows } = await sql<{ mode: string; level: string; archived: number | null; failed: number | null }>`
      select current_setting('archive_mode') as mode, current_setting('wal_level') as level,
        (extract(epoch from last_archived_time) * 1000)::bigint as archived,
        (extract(epoch from last_failed_time) * 1000)::bigint as failed
      from pg_stat_archiver`.execute(store);
    const [found] = rows;
    if (found === undefined) return undefined;
    const { mode, level, archived, failed } = found;
    return {
      on: mode !== 'off' && level !== 'minimal',
      lastAt: archived,
      failingSince: failed !== null && failed > (archived ?? 0) ? failed : null,
    };
  } catch {
    return undefined;
  }
}
