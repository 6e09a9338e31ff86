import { constants } from 'node:os';
import { Problem } from '../problem/problem.ts';

/** Ctrl-C, a polite kill, and a closed terminal. */
const stopping = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Stopping = (typeof stopping)[number];

/** The error that a command throws at Ctrl-C. Nothing is printed for it: the person pressed the key. */
export class Interrupted extends Error {
  /** 128 plus the signal's number, as in shells. */
  readonly exitCode: number;

  constructor(signal: Stopping) {
    super('interrupted');
    this.name = 'Interrupted';
    this.exitCode = 128 + constants.signals[signal];
  }
}

export interface TimeLimit {
  seconds: number;
  /** What to print when the time is over, a sentence. */
  what: string;
  /** What to do then. */
  fix: string;
}

/**
 * A signal that ends a wait: at Ctrl-C, SIGTERM or SIGHUP, or when the time is over.
 *
 * @param limit the longest wait; by default there is no limit
 */
export function interruptible(limit?: TimeLimit): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const interrupts = stopping.map((name) => [name, () => controller.abort(new Interrupted(name))] as const);
  const timer = limit && setTimeout(() => controller.abort(timedOut(limit)), limit.seconds * 1000);
  for (const [name, interrupt] of interrupts) process.on(name, interrupt);
  return {
    signal: controller.signal,
    release: () => {
      clearTimeout(timer);
      for (const [name, interrupt] of interrupts) process.off(name, interrupt);
    },
  };
}

function timedOut({ what, fix }: TimeLimit): Problem {
  return new Problem({ kind: 'timed-out', what, fix });
}
