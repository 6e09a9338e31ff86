import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Pairs, Spread } from './harness.ts';
import type { Person } from './person.ts';

/** One thing that is measured; each has its file in benches/. */
export interface Bench {
  /** For the command line. */
  name: string;
  run(world: World): Promise<Row[]>;
}

/** Where it is measured: a sandbox with an agent that has a session and AWS's credentials. */
export interface World {
  sandbox: Sandbox;
  /** What Git says to a helper when it wants credentials for the sandbox's repository. */
  request: string;
  /** A file that holds it. */
  requestFile: string;
  /** Somebody else, who can sign in without a browser. */
  person: Person;
  /** What programs see with which that person signs in: they have an agent of their own. */
  personEnv: Record<string, string>;
}

export interface Target {
  bound: 'at most' | 'at least';
  value: number;
  unit: 'times' | 'times faster' | 'ms' | 'errors';
}

/** A line of the table. */
export interface Row {
  what: string;
  against: string;
  target: Target;
  /** In the target's unit; missing when it could not be measured here. */
  measured?: Spread;
  ours?: Spread;
  peer?: Spread;
  /** What the two sides are given in: milliseconds unless told. */
  sides?: 'ms' | 'MB';
  /** What else was seen. */
  note?: string;
  /** Why the row has no figures. */
  leftOut?: string;
  /** Answers that were wrong or missing; with any of them no target is met. */
  errors?: number;
}

/** Whether a row's target is met; undefined when nothing was measured. */
export function isMet({ target, measured, errors = 0 }: Row): boolean | undefined {
  if (measured === undefined) return undefined;
  if (errors > 0) return false;
  return target.bound === 'at most' ? measured.median <= target.value : measured.median >= target.value;
}

/** The row of two things whose ratio counts. */
export function ratioRow(what: string, against: string, atMost: number, { ours, peer, ratio }: Pairs): Row {
  return { what, against, target: { bound: 'at most', value: atMost, unit: 'times' }, measured: ratio, ours, peer };
}
