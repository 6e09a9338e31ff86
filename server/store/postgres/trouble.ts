import { DatabaseError } from 'pg';
import { StoreUnavailable } from '../unavailable.ts';

/** read_only_sql_transaction: from a standby, which a failover has left where the primary was. */
const READ_ONLY = '25006';

/**
 * PostgreSQL's error codes (its manual, appendix "PostgreSQL Error Codes") for trouble that may pass, with the seconds after which another
 * try may be worth it. Two characters stand for the whole class.
 */
const PASSING = new Map([
  // Connections, and who may make them: a password may be about to change, or a database to be made.
  ['08', 5],
  ['28', 5],
  ['3D', 5],
  // Resources: disk, memory, connections.
  ['53', 5],
  ['53100', 30],
  // Locks held by others, and what gave way to others.
  ['55P03', 5],
  ['40', 1],
  // Shut down, starting, cancelled or timed out.
  ['57', 5],
  ['25P03', 5],
  ['25P04', 5],
  [READ_ONLY, 5],
  // Its disk fails.
  ['58', 30],
]);

/** serialization_failure and deadlock_detected: nothing has happened, and another try may succeed. */
const GAVE_WAY = ['40001', '40P01'];

/** lock_not_available */
const LOCKED = '55P03';

/** The database's error code; undefined when the error is not from the database. */
export function sqlState(error: unknown): string | undefined {
  return databaseError(error)?.code;
}

function databaseError(error: unknown): DatabaseError | undefined {
  const found = error instanceof StoreUnavailable ? error.cause : error;
  return found instanceof DatabaseError ? found : undefined;
}

/** Whether a statement did nothing because another was before it. */
export function gaveWay(error: unknown): boolean {
  return GAVE_WAY.includes(sqlState(error) ?? '');
}

/** Whether a lock did not come in time, or was given up for others. */
export function wasLocked(error: unknown): boolean {
  return sqlState(error) === LOCKED || gaveWay(error);
}

/** Whether the connection is to a database that nobody can write, so that another one may find the right one. */
export function leadsToStandby(error: unknown): boolean {
  return sqlState(error) === READ_ONLY;
}

/** Whether somebody changed a table since this connection prepared the statement (feature_not_supported, from the plan cache). */
export function isStalePlan(error: unknown): boolean {
  const found = databaseError(error);
  return found?.code === '0A000' && found.routine === 'RevalidateCachedQuery';
}

/** Whether the password or the user was refused. */
export function isUnauthenticated(error: unknown): boolean {
  return sqlState(error)?.startsWith('28') ?? false;
}

/**
 * What a statement's error is for the rest of the server: StoreUnavailable if it may pass.
 *
 * @param lost whether the connection is broken
 */
export function asUnavailable(error: unknown, lost: boolean): unknown {
  if (error instanceof StoreUnavailable) return error;
  if (isStalePlan(error)) return unavailable(1, error);
  const code = sqlState(error) ?? '';
  const seconds = PASSING.get(code) ?? PASSING.get(code.slice(0, 2)) ?? (lost ? 5 : undefined);
  return seconds === undefined ? error : unavailable(seconds, error);
}

/** For a connection that could not be made. */
export function unreachable(error: unknown): StoreUnavailable {
  return unavailable(5, error);
}

function unavailable(seconds: number, error: unknown): StoreUnavailable {
  return new StoreUnavailable(`The database cannot be used now: ${reasonOf(error)}`, seconds, error);
}

/** Node's error for several addresses has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
