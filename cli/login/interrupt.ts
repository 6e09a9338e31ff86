import { constants } from 'node:os';
import { Problem } from '../problem.ts';

/** What Ctrl-C ends a command with: nothing is said that the person does not know. */
export class Interrupted extends Error {
  /** 128 and the signal's number, as shells have it. */
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super('interrupted');
    this.name = 'Interrupted';
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * A signal that ends a wait: at Ctrl-C (or a polite kill), or after a time.
 *
 * @param seconds the longest wait
 * @param what the sentence for the time-out
 * @param fix what to do then
 */
export function interruptible(
  seconds: number,
  what: string,
  fix: string,
): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const interrupt = (name: NodeJS.Signals) => controller.abort(new Interrupted(name === 'SIGTERM' ? name : 'SIGINT'));
  const timer = setTimeout(() => controller.abort(new Problem({ kind: 'timed-out', what, fix })), seconds * 1000);
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return {
    signal: controller.signal,
    release: () => {
      clearTimeout(timer);
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
    },
  };
}
