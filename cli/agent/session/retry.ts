import { setTimeout as sleep } from 'node:timers/promises';
import { Outage } from '../../network/outage.ts';
import type { Timeouts } from './timeouts.ts';

/** Until when callers wait for an answer, by the monotonic clock: the time of a sleeping machine does not count. */
export class Deadline {
  #until = Number.NEGATIVE_INFINITY;
  /** Why the last try failed. */
  outage: Outage | undefined;

  /** Another caller waits, for a number of milliseconds from now. */
  extend(milliseconds: number): void {
    this.#until = Math.max(this.#until, performance.now() + milliseconds);
  }

  /** How many milliseconds are left; negative when no caller waits any more. */
  get left(): number {
    return this.#until - performance.now();
  }
}

export interface RetryOptions {
  deadline: Deadline;
  timeouts: Pick<Timeouts, 'firstPause' | 'longestPause'>;
  /** Ends the retries. */
  signal: AbortSignal;
  /** Called with the reason for another try. */
  onRetry: (outage: Outage) => void;
}

/**
 * Tries again after an Outage, until the deadline. Each pause is random, from zero to a ceiling that doubles each time ("full
 * jitter"), so that clients that were cut off together do not come back together. A Retry-After is waited for in full, plus the
 * random pause. A pause that would end after the deadline is not begun.
 *
 * The retry of AWS's SDK is off: it has no deadline, goes on after the session ends, and may use a token that is too old.
 *
 * @throws the last try's error
 */
export async function retry<T>(
  attempt: () => Promise<T>,
  { deadline, timeouts, signal, onRetry }: RetryOptions,
): Promise<T> {
  for (let ceiling = timeouts.firstPause; ; ceiling = Math.min(2 * ceiling, timeouts.longestPause)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Outage) || signal.aborted) throw error;
      deadline.outage = error;
      const pause = error.retryAfter + Math.random() * ceiling;
      if (pause >= deadline.left) throw error;
      onRetry(error);
      await sleep(pause, undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
}
