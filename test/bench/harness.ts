import { spawnSync } from 'node:child_process';

/** Where the middle of some measurements lies, and how far they are spread. */
export interface Spread {
  median: number;
  /** The lower and the upper quartile: half of all lie between them. */
  low: number;
  high: number;
  count: number;
}

/** What came of measuring two things side by side. */
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

/** What is measured. */
export interface Subject {
  /** Makes ready for a run; its time does not count. */
  prepare?(): unknown;
  /** Is done when it returns, or when its promise is fulfilled. */
  run(): unknown;
  /** How many times it does the thing in one run; once unless told. */
  times?: number;
}

/**
 * Measures two things in turns. What else the machine does changes from minute to minute, but hardly within one pair: so
 * the ratio is taken in each pair, and its median is what counts. Every other pair begins with the peer, so that neither
 * is always the one that finds the caches as the other left them.
 *
 * @param rounds how many pairs; some more go before them and do not count
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

/** One figure that is not spread. */
export function exactly(value: number): Spread {
  return spread([value]);
}

/**
 * The value below which a share of all lie, between two neighbours in proportion.
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
 * Starts a program a few times in a row, each with the same standard input, and stops where one fails. It prints what they
 * print.
 */
const repeat =
  'left=$1 input=$2; shift 2; while [ "$left" -gt 0 ]; do "$@" <"$input" || exit; left=$((left - 1)); done';

/**
 * A program as something to measure: from its start until it has ended and all that it printed is read. It must not need
 * this very process for an answer.
 *
 * Node takes some milliseconds to start a process, and on both sides of a ratio that would flatter the slower one. A small
 * shell takes a fraction of one; so it is told to start a short program several times.
 *
 * @param input the file that it reads; none of it may be secret
 * @param expected what it must print each time, since a refusal may be quick
 * @param times how many times in one run; once unless told
 * @throws Error when it ends with another status than 0, or prints something else
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
      // What it printed may be a password, so it is not told.
      if (status !== 0 || found !== times) {
        throw new Error(`${command} ${args.join(' ')} ended with ${status}, and not as it should\n${stderr}`);
      }
    },
  };
}
