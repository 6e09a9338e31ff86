import { spawnSync } from 'node:child_process';

/** The middle of some measurements, and how far they spread. */
export interface Spread {
  median: number;
  /** The lower and the upper quartile: half of all values are between them. */
  low: number;
  high: number;
  count: number;
}

/** The result of measuring two subjects side by side. */
export interface Pairs {
  /** Milliseconds. */
  ours: Spread;
  /** Milliseconds. */
  peer: Spread;
  /** Ours divided by the peer's, pair by pair. */
  ratio: Spread;
  /** Ours less the peer's, pair by pair, in milliseconds. */
  difference: Spread;
}

/** Something to measure. */
export interface Subject {
  /** Prepares a run; its time does not count. */
  prepare?(): unknown;
  /** Ends when it returns, or when its promise is fulfilled. */
  run(): unknown;
  /** How many repetitions one run contains, 1 by default. */
  times?: number;
}

/**
 * Measures two subjects in turns. Other work on the machine changes from minute to minute, but hardly within one pair: so the
 * ratio is taken in each pair, and its median counts. Every other pair begins with the peer, so that neither always finds the
 * caches as the other left them.
 *
 * @param rounds how many pairs; some warm-up pairs come first and do not count
 */
export async function measurePairs(ours: Subject, peer: Subject, rounds: number): Promise<Pairs> {
  const pairs: { ours: number; peer: number }[] = [];
  const unmeasured = Math.ceil(rounds / 10);
  for (let round = -unmeasured; round < rounds; round++) {
    const first = await milliseconds(round % 2 === 0 ? ours : peer);
    const second = await milliseconds(round % 2 === 0 ? peer : ours);
    if (round >= 0) pairs.push(round % 2 === 0 ? { ours: first, peer: second } : { ours: second, peer: first });
  }
  return {
    ours: spread(pairs.map((pair) => pair.ours)),
    peer: spread(pairs.map((pair) => pair.peer)),
    ratio: spread(pairs.map((pair) => pair.ours / pair.peer)),
    difference: spread(pairs.map((pair) => pair.ours - pair.peer)),
  };
}

async function milliseconds({ prepare, run, times = 1 }: Subject): Promise<number> {
  await prepare?.();
  const start = performance.now();
  await run();
  return (performance.now() - start) / times;
}

/** @param values at least one */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
    count: values.length,
  };
}

/** A single value as a Spread. */
export function exactly(value: number): Spread {
  return spread([value]);
}

/**
 * The value below which a given share of all values lies; interpolates between two neighbours.
 *
 * @param sorted at least one value, the smallest first
 * @param share 0 to 1
 */
export function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) throw new RangeError('nothing was measured');
  return below + (above - below) * (place - Math.floor(place));
}

/**
 * A shell script that starts a program a few times in a row, each with the same standard input, and stops when one fails. It
 * prints what they print.
 */
const repeat =
  'left=$1 input=$2; shift 2; while [ "$left" -gt 0 ]; do "$@" <"$input" || exit; left=$((left - 1)); done';

/**
 * A program as a subject: measured from its start until it has ended and all its output is read. It blocks this process, so the
 * program must not need an answer from it.
 *
 * Node takes some milliseconds to start a process; on both sides of a ratio these would flatter the slower one. A small shell
 * takes a fraction of a millisecond, so it starts a short program several times.
 *
 * @param input the file that the program reads; it must hold no secret
 * @param expected what the program must print each time, because a refusal may be fast
 * @param times how many times in one run, 1 by default
 * @throws Error if it ends with a status other than 0, or prints something else
 */
export function program(
  command: string,
  args: readonly string[],
  options: { env: Record<string, string>; cwd: string; input?: string; expected?: RegExp; times?: number },
): Subject {
  const { env, cwd, input = '/dev/null', expected, times = 1 } = options;
  return {
    times,
    run() {
      const all = ['-c', repeat, 'repeat', `${times}`, input, command, ...args];
      const { status, stdout, stderr, error } = spawnSync('/bin/sh', all, { env, cwd, encoding: 'utf8' });
      if (error) throw error;
      const found = expected ? (stdout.match(new RegExp(expected, 'gm'))?.length ?? 0) : times;
      // The output may be a password, so it is not in the message.
      if (status !== 0 || found !== times) {
        throw new Error(`${command} ${args.join(' ')} ended with ${status}, not as expected\n${stderr}`);
      }
    },
  };
}
