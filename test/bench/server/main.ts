/** `npm run bench:server -- --help`: docs/performance.md explains the figures. */
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { ensureBuilt } from '../../support/ensure-built.ts';
import { isMet } from '../bench.ts';
import { load as loadAverage, machine } from '../machine.ts';
import { table } from '../table.ts';
import { type Amount, measure, measureSteps, throughput } from './measure.ts';
import { Peers } from './peers.ts';
import { residentMegabytes } from './process-figures.ts';
import { lines, type Results, type Run, rowsOf, type Scaling, stepLines } from './report.ts';
import { type Engine, World } from './world.ts';

interface Options extends Amount {
  engines: Engine[];
  people: number[];
  pars: number;
  quick?: true;
  json?: string;
  nodeOptions?: string;
}

const QUICK: Partial<Options> = { people: [100], rounds: 2, count: 6, warmUp: 3, pars: 50 };

const number = (text: string) => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It should be a whole number.');
  return Number(text);
};
const numbers = (text: string) => text.split(',').map(number);
const engines = (text: string) => {
  const named = text.split(',');
  if (!named.every((name) => name === 'sqlite' || name === 'postgres')) {
    throw new InvalidArgumentError('It should be sqlite, postgres, or both with a comma.');
  }
  return named as Engine[];
};

const command = new Command('bench:server')
  .description(
    'Measures what logins and AWS tokens cost the server, beside bare oidc-provider and the cryptography alone. Everything is on loopback.',
  )
  .option('--engines <list>', 'sqlite, postgres', engines, ['sqlite', 'postgres'])
  .option('--people <list>', 'how many people the databases have', numbers, [100, 10_000, 1_000_000])
  .option('--rounds <number>', 'how many rounds', number, 10)
  .option('--count <number>', 'logins and tokens of a round', number, 100)
  .option('--warm-up <number>', 'logins and tokens before the first round', number, 500)
  .option('--clients <number>', 'how many are under way at once', number, 8)
  .option('--pars <number>', 'pushed requests before memory is measured; 0 for none', number, 100_000)
  .option('--quick', 'a few of each, which say nothing: whether the bench works')
  .option('--node-options <options>', 'options of Node for the server, such as --cpu-prof')
  .option('--json <file>', 'write the figures')
  .action(async (given: Options) => {
    const options: Options = given.quick ? { ...given, ...QUICK } : given;
    const before = loadAverage();
    const results = await run(options);
    const on = { ...machine(), load: `load ${before} before and ${loadAverage()} after` };
    const rows = rowsOf(results);
    process.stdout.write(`${Object.values(on).join(', ')}\n\n${table(rows)}\n${lines(results.runs)}`);
    if (results.steps !== undefined) process.stdout.write(stepLines(results.steps));
    if (options.json !== undefined) {
      const judged = rows.map((row) => ({ ...row, met: isMet(row) ?? null }));
      writeFileSync(options.json, `${JSON.stringify({ machine: on, rows: judged, ...results }, null, 2)}\n`);
    }
  });

try {
  await command.parseAsync();
} catch (error) {
  process.stderr.write(`bench:server: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

async function run(options: Options): Promise<Results> {
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => stopping.abort(new Error(`ended by ${name}`)));
  }
  const { signal } = stopping;
  await ensureBuilt();
  await using peers = await Peers.start(signal);
  const flags = options.nodeOptions?.split(' ') ?? [];
  const world = (engine: Engine, people: number, instances = 1) =>
    World.make({ engine, people, instances }, peers.people, signal, flags);
  const [fewest = 100] = options.people;
  const runs: Run[] = [];
  const results: Results = { runs };
  for (const engine of options.engines) {
    for (const people of options.people) {
      say(`${engine} with ${people} people …`);
      await using made = await world(engine, people);
      runs.push({ engine, people, figures: await measure(made, peers, options, signal) });
      if (results.steps === undefined) results.steps = await measureSteps(made, peers, options, signal);
    }
  }
  if (options.engines.includes('postgres')) {
    say('two instances on PostgreSQL …');
    await using made = await world('postgres', fewest, 2);
    results.scaling = await scale(made, peers, options, signal);
  }
  if (options.pars > 0) {
    say(`${options.pars} pushed requests …`);
    await using made = await world('sqlite', fewest);
    results.memory = { pushed: options.pars, megabytes: await remember(made, peers, options, signal) };
  }
  return results;
}

/** One instance and two in turns, with as many clients for each instance. */
async function scale(made: World, peers: Peers, options: Options, signal: AbortSignal): Promise<Scaling> {
  const one = { ...options, count: options.count * 2, clients: options.clients * 2 };
  await throughput(made, made.origins, peers, { ...one, count: options.warmUp * 2 }, signal);
  const scaling: Scaling = { one: [], two: [] };
  for (let round = 0; round < options.rounds; round += 1) {
    scaling.one.push(await throughput(made, made.origins.slice(0, 1), peers, one, signal));
    scaling.two.push(await throughput(made, made.origins, peers, one, signal));
  }
  return scaling;
}

/** The server's memory at its start, and after each tenth of the pushed requests. */
async function remember(made: World, peers: Peers, { pars, clients }: Options, signal: AbortSignal): Promise<number[]> {
  const { issuer, origins, pids } = made;
  const now = () => residentMegabytes(pids[0] ?? Number.NaN);
  const megabytes = [now()];
  for (let part = 0; part < 10; part += 1) {
    await peers.load({ kind: 'push', origins, issuer, count: Math.ceil(pars / 10), clients }, signal);
    megabytes.push(now());
  }
  return megabytes;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
