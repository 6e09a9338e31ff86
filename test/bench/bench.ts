import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Pairs, Spread } from './harness.ts';
import type { Person } from './person.ts';

/** One thing to measure; each has its file in benches/. */
export interface Bench {
  /** Its name on the command line. */
  name: string;
  run(warm: WarmSandbox): Promise<Row[]>;
}

/** A sandbox whose agent has a session and AWS credentials. */
export interface WarmSandbox {
  sandbox: Sandbox;
  /** What Git sends to a helper to get credentials for the sandbox's repository. */
  request: string;
  /** A file with that request. */
  requestFile: string;
  /** A second person, with their own agent, who can sign in without a browser. */
  person: Person;
  /** The environment of that person's programs. */
  personEnv: Record<string, string>;
}

export interface Target {
  bound: 'at most' | 'at least';
  value: number;
  unit: 'times' | 'times faster' | 'ms' | 'MB' | 'errors';
}

/** A line of the table. */
export interface Row {
  what: string;
  against: string;
  target: Target;
  /** In the target's unit; missing if it could not be measured here. */
  measured?: Spread;
  ours?: Spread;
  peer?: Spread;
  /** The unit of `ours` and `peer`, 'ms' by default. */
  sides?: 'ms' | 'MB';
  /** Further results, in words. */
  note?: string;
  /** Why the row has no figures. */
  leftOut?: string;
  /** How many answers were wrong or missing; any of them misses the target. */
  errors?: number;
}

/** Whether a row's target is met; undefined if nothing was measured. */
export function isMet({ target, measured, errors = 0 }: Row): boolean | undefined {
  if (measured === undefined) return undefined;
  if (errors > 0) return false;
  return target.bound === 'at most' ? measured.median <= target.value : measured.median >= target.value;
}

/** A row whose target is the ratio of ours to the peer. */
export function ratioRow(what: string, against: string, atMost: number, { ours, peer, ratio }: Pairs): Row {
  return { what, against, target: { bound: 'at most', value: atMost, unit: 'times' }, measured: ratio, ours, peer };
}
