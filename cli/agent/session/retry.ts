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
  /** Gives up. */
  signal: AbortSignal;
  /** Called with the reason for another try. */
  onRetry: (outage: Outage) => void;
}

/**
 * Tries again after an Outage, until the deadline. The ceiling of the pause doubles each time, and the pause is drawn anew from
 * zero up to it ("full jitter"), so that clients that were cut off in one moment do not come back in one. A Retry-After is waited
 * for in full, with the drawn pause on top. There is no pause that would end after the deadline.
 *
 * AWS's SDK has such a loop for STS too, and is told not to use it: it knows no deadline, it would wait on after the session has
 * ended, and the ID token can get too old in it.
 *
 * @throws what the last try failed by
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
