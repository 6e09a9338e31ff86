import type { KyselyConfig } from 'kysely';

/** Told of each statement that has ended: never of its parameters. */
export type StatementWatch = (statement: { sql: string; ms: number; failed: boolean }) => void;

/** Kysely's settings for a watched database. Without a watch nothing is measured. */
export function watchedBy(watch: StatementWatch | undefined): Pick<KyselyConfig, 'log'> {
  if (watch === undefined) return {};
  return {
    log: ({ level, query, queryDurationMillis }) =>
      watch({ sql: query.sql, ms: queryDurationMillis, failed: level === 'error' }),
  };
}
