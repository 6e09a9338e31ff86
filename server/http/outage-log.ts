import { Problem } from '../problem/problem.ts';
import { StoreUnavailable } from '../store/unavailable.ts';

/**
 * An error for the log. Of an outage that every request meets the reason is enough: with a stack each time, strangers would fill the disk
 * while the database or KMS is away.
 */
export function logged(error: unknown): { err: unknown } | { reason: string } {
  if (error instanceof StoreUnavailable) return { reason: error.message };
  if (error instanceof Problem && error.kind === 'unavailable' && error.reason !== undefined) {
    return { reason: error.reason };
  }
  return { err: error };
}
