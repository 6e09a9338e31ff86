import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gitSocket } from '../../../cli/runtime-folder/runtime-folder.ts';
import type { Bench, Row, WarmSandbox } from '../bench.ts';
import type { Load, LoadResult } from '../clients.ts';
import { exactly, quantile, spread } from '../harness.ts';

/**
 * How many answers a second the agent gives over git.sock, and how long the slowest of 1, 20 and 200 clients wait: a whole office
 * of editors, submodules and build steps may ask in the same moment. A wait lasts from a client's connection to the end of its
 * answer. The clients run in a process beside the agent: they share the machine with it, but their work is not the agent's.
 *
 * "200 clients at once" can mean three things, and all are measured. Ten times a second each: in practice Git starts a process
 * for each client, and two cores can start some hundred processes a second, so this is more than can happen. In one moment: all
 * 200 connect, and again when all have their answer. Without a pause: each asks again as soon as it is answered; the wait is
 * then 200 divided by the answers a second.
 */
export const agentLoad: Bench = {
  name: 'agent-load',
  async run(warm: WarmSandbox) {
    await serve(warm, { clients: 20, rounds: 200, pacing: 'again' });
    const once = await serve(warm, { clients: 1, rounds: 2000, pacing: 'again' });
    const some = await serve(warm, { clients: 20, rounds: 250, pacing: 'again' });
    const rows = [noErrors('1 client', once), noErrors('20 clients', some)];
    const loads = [
      ['200 clients, each ten times a second', { clients: 200, rounds: 40, pacing: 100 }],
      ['200 clients in one moment', { clients: 200, rounds: 40, pacing: 'together' }],
      ['200 clients without a pause', { clients: 200, rounds: 60, pacing: 'again' }],
    ] as const;
    for (const [who, load] of loads) rows.push(slowest(who, await serve(warm, load)));
    return rows;
  },
};

async function serve({ sandbox, requestFile }: WarmSandbox, load: Load): Promise<LoadResult> {
  const program = join(import.meta.dirname, '../clients.ts');
  const args = [program, gitSocket(sandbox.env), requestFile, JSON.stringify(load)];
  const options = { env: sandbox.env, maxBuffer: 16 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return JSON.parse(stdout) as LoadResult;
}

function noErrors(who: string, result: LoadResult): Row {
  return {
    what: `answers over git.sock, ${who}: errors`,
    against: '',
    target: { bound: 'at most', value: 0, unit: 'errors' },
    measured: exactly(result.errors),
    ...seen(result),
  };
}

function slowest(who: string, result: LoadResult): Row {
  return {
    what: `${who}: 99th percentile`,
    against: '',
    target: { bound: 'at most', value: 20, unit: 'ms' },
    measured: exactly(percentile99(result)),
    ...seen(result),
  };
}

function seen(result: LoadResult): Pick<Row, 'ours' | 'errors' | 'note'> {
  const perSecond = Math.round(result.waits.length / result.seconds).toLocaleString('en');
  const p99 = percentile99(result).toFixed(1);
  return {
    ours: spread(result.waits),
    errors: result.errors,
    note: `${perSecond} answers a second, ${result.errors} errors, 99th percentile ${p99} ms`,
  };
}

function percentile99({ waits }: LoadResult): number {
  return quantile(
    waits.toSorted((a, b) => a - b),
    0.99,
  );
}
