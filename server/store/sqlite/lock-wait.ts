import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../unavailable.ts';

/** How long a statement waits for locks altogether, in milliseconds, without blocking the process. */
export const LOCK_WAIT_MS = 5_000;

const SHORTEST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 50;

/** SQLite's primary result codes (sqlite.org/rescode.html) for trouble with a disk or another program. */
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;

/**
 * Retries an action on the database while another program has it locked: SQLite's own wait would block the whole process.
 *
 * @param until when to give up, by `performance.now()`
 * @throws StoreUnavailable when it stays locked or its disk fails
 */
export async function retryWhileLocked<Result>(until: number, action: () => Result): Promise<Result> {
  for (let pause = SHORTEST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    try {
      return action();
    } catch (error) {
      if (resultCode(error) !== SQLITE_BUSY || performance.now() >= until) throw asUnavailable(error);
    }
    await sleep(pause);
  }
}

/** For a statement that did not get its lock in time. */
export function busy(cause?: unknown): StoreUnavailable {
  return new StoreUnavailable('Another program has locked the database for too long', 5, cause);
}

/** SQLite's error for a lock or a disk as StoreUnavailable, and any other as it is. */
export function asUnavailable(error: unknown): unknown {
  const code = resultCode(error);
  if (code === SQLITE_BUSY) return busy(error);
  if (code !== undefined && [SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN].includes(code)) {
    return new StoreUnavailable(`The database cannot be written: ${(error as Error).message}`, 30, error);
  }
  return error;
}

/** The primary code is the last byte of an extended one. */
function resultCode(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}
