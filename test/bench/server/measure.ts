import { type Pairs, quantile, type Spread, spread } from '../harness.ts';
import type { Step } from './flows.ts';
import type { Job, LoadResult } from './load.ts';
import type { Peers } from './peers.ts';
import { cpuMilliseconds } from './process-figures.ts';
import type { World } from './world.ts';

/** How much is measured. */
export interface Amount {
  /** How many rounds; in each, both sides take turns. */
  rounds: number;
  /** How many logins and tokens a round has. */
  count: number;
  /** How many of each come first, and do not count: V8 compiles what runs often. */
  warmUp: number;
  /** How many are under way at once. */
  clients: number;
}

/** What one kind of request costs the server. */
export interface Cost {
  /** Processor time of the server, all instances together, in milliseconds. */
  cpu: Spread;
  /** As many times its cryptography, round by round. */
  perCrypto: Spread;
  /** In milliseconds, from the first request to the last answer. */
  wait: { p50: number; p95: number; p99: number };
  perSecond: number;
}

/** What was measured in one world. */
export interface Figures {
  login: Cost;
  token: Cost;
  /** Logins against bare oidc-provider's, by processor time. */
  againstBare: Pairs;
}

/** The cryptography of each: ID token, access token, DPoP proof and assertion; AWS's token, access token and proof. */
const LOGIN = { signatures: 2, verifications: 2 };
const TOKEN = { signatures: 1, verifications: 2 };

/** Measures logins and tokens in a world, round by round next to its peers. */
export async function measure(world: World, peers: Peers, amount: Amount, signal: AbortSignal): Promise<Figures> {
  const { rounds, count, warmUp, clients } = amount;
  const { issuer, origins } = world;
  const ours = (kind: Job['kind'], size: number): Job => ({ kind, origins, issuer, count: size, clients });
  const bare = (size: number): Job => ({
    ...ours('bare-login', size),
    origins: [peers.bareIssuer],
    issuer: peers.bareIssuer,
  });
  for (const job of [ours('login', warmUp), bare(warmUp), ours('token', warmUp)]) await peers.load(job, signal);
  const logins: Round[] = [];
  const tokens: Round[] = [];
  const bares: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const measureBare = async () => bares.push((await run(peers, bare(count), [peers.barePid], signal)).cpu);
    if (round % 2 === 0) await measureBare();
    logins.push({ ...(await run(peers, ours('login', count), world.pids, signal)), ...(await crypto(LOGIN)) });
    if (round % 2 !== 0) await measureBare();
    tokens.push({ ...(await run(peers, ours('token', count), world.pids, signal)), ...(await crypto(TOKEN)) });
  }
  const pairs = logins.map(({ cpu }, round) => ({ ours: cpu, peer: bares[round] ?? Number.NaN }));
  return {
    login: costOf(logins),
    token: costOf(tokens),
    againstBare: {
      ours: spread(pairs.map((pair) => pair.ours)),
      peer: spread(pairs.map((pair) => pair.peer)),
      ratio: spread(pairs.map((pair) => pair.ours / pair.peer)),
      difference: spread(pairs.map((pair) => pair.ours - pair.peer)),
    },
  };

  async function crypto(what: { signatures: number; verifications: number }): Promise<{ crypto: number }> {
    return { crypto: await peers.crypto({ ...what, rounds: Math.max(20, count) }, signal) };
  }
}

/** What each request of a login costs, at Vouch and at bare oidc-provider, in milliseconds of processor time. */
export type StepCosts = Record<'vouch' | 'bare', Record<string, Spread>>;

/** Measures many logins that go on together, request by request: after each, it is known what that request cost. */
export async function measureSteps(
  world: World,
  peers: Peers,
  { rounds, count, clients }: Amount,
  signal: AbortSignal,
): Promise<StepCosts> {
  const costs = { vouch: new Map<Step, number[]>(), bare: new Map<Step, number[]>() };
  const size = Math.min(count, peers.people.length);
  const ours: Job = { kind: 'step', origins: world.origins, issuer: world.issuer, count: size, clients };
  const bare: Job = { ...ours, kind: 'bare-step', origins: [peers.bareIssuer], issuer: peers.bareIssuer };
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, job, pids] of [
      ['vouch', ours, world.pids],
      ['bare', bare, [peers.barePid]],
    ] as const) {
      let step: Step | undefined;
      while (step !== 'token') {
        const { cpu, result } = await run(peers, job, pids, signal);
        step = result.step ?? 'token';
        costs[name].set(step, [...(costs[name].get(step) ?? []), cpu]);
      }
    }
  }
  const spreads = (all: Map<Step, number[]>) =>
    Object.fromEntries([...all].map(([step, each]) => [step, spread(each)]));
  return { vouch: spreads(costs.vouch), bare: spreads(costs.bare) };
}

/** How many logins a second a world serves, and the server's share of the processors. */
export async function throughput(
  world: World,
  origins: readonly string[],
  peers: Peers,
  { count, clients }: Amount,
  signal: AbortSignal,
): Promise<{ perSecond: number; cpu: number }> {
  const job: Job = { kind: 'login', origins, issuer: world.issuer, count, clients };
  const { cpu, result } = await run(peers, job, world.pids, signal);
  return { perSecond: count / result.seconds, cpu };
}

interface Round {
  cpu: number;
  crypto: number;
  result: LoadResult;
}

/** Does a job. @returns the processor time that it cost these processes, in milliseconds for each */
async function run(
  peers: Peers,
  job: Job,
  pids: readonly number[],
  signal: AbortSignal,
): Promise<{ cpu: number; result: LoadResult }> {
  const used = () => pids.reduce((sum, pid) => sum + cpuMilliseconds(pid), 0);
  const before = used();
  const result = await peers.load(job, signal);
  return { cpu: (used() - before) / job.count, result };
}

function costOf(rounds: readonly Round[]): Cost {
  const waits = rounds.flatMap(({ result }) => result.waits).sort((a, b) => a - b);
  const seconds = rounds.reduce((sum, { result }) => sum + result.seconds, 0);
  return {
    cpu: spread(rounds.map(({ cpu }) => cpu)),
    perCrypto: spread(rounds.map(({ cpu, crypto }) => cpu / crypto)),
    wait: { p50: quantile(waits, 0.5), p95: quantile(waits, 0.95), p99: quantile(waits, 0.99) },
    perSecond: waits.length / seconds,
  };
}
