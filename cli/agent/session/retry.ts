import { setTimeout as sleep } from 'node:timers/promises';
import { Outage } from '../../network/outage.ts';
import type { Patience } from './patience.ts';

/** Until when somebody waits for an answer. By the monotonic clock: while the machine sleeps, nobody waits. */
export class Waiting {
  #until = Number.NEGATIVE_INFINITY;
  /** What was in the way at the last try. */
  trouble: Outage | undefined;

  /** One more waits, for so many milliseconds from now. */
  prolong(milliseconds: number): void {
    this.#until = Math.max(this.#until, performance.now() + milliseconds);
  }

  /** For how many milliseconds somebody will still wait; negative when nobody does. */
  get left(): number {
    return this.#until - performance.now();
  }
}

export interface RetryOptions {
  waiting: Waiting;
  patience: Pick<Patience, 'firstPause' | 'longestPause'>;
  /** Given up when aborted. */
  signal: AbortSignal;
  /** Told why there will be another try. */
  onRetry: (trouble: Outage) => void;
}

/**
 * Tries again what failed by an Outage, for as long as somebody waits: with pauses that double, of which the length is
 * drawn anew from zero up each time ("full jitter"), so that all who were cut off in one moment do not come back in one. Who
 * asks for a pause of a certain length (Retry-After) gets that, and the drawn one on top. When the pause would take longer
 * than anybody waits, there is none.
 *
 * The SDK of AWS has such a loop for STS too, and is told not to use it: it knows nothing of a deadline, it would wait on when
 * the session has ended, and the ID token can get too old in it.
 *
 * @throws what the last try failed by
 */
export async function retry<T>(
  attempt: () => Promise<T>,
  { waiting, patience, signal, onRetry }: RetryOptions,
): Promise<T> {
  for (let ceiling = patience.firstPause; ; ceiling = Math.min(2 * ceiling, patience.longestPause)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Outage) || signal.aborted) throw error;
      waiting.trouble = error;
      const pause = error.retryAfter + Math.random() * ceiling;
      if (pause >= waiting.left) throw error;
      onRetry(error);
      await sleep(pause, undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
}
