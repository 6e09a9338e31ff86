import { constants } from 'node:os';
import { Problem } from '../problem/problem.ts';

/** Ctrl-C, a polite kill, and a terminal that was closed. */
const stopping = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Stopping = (typeof stopping)[number];

/** What Ctrl-C ends a command with: nothing is said that the person does not know. */
export class Interrupted extends Error {
  /** 128 and the signal's number, as shells have it. */
  readonly exitCode: number;

  constructor(signal: Stopping) {
    super('interrupted');
    this.name = 'Interrupted';
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * A signal that ends a wait: at Ctrl-C (or a polite kill, or when the terminal is closed), or after a time.
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
  const interrupts = stopping.map((name) => [name, () => controller.abort(new Interrupted(name))] as const);
  const timer = setTimeout(() => controller.abort(new Problem({ kind: 'timed-out', what, fix })), seconds * 1000);
  for (const [name, interrupt] of interrupts) process.on(name, interrupt);
  return {
    signal: controller.signal,
    release: () => {
      clearTimeout(timer);
      for (const [name, interrupt] of interrupts) process.off(name, interrupt);
    },
  };
}
