import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gitSocket } from '../../../cli/runtime-folder/runtime-folder.ts';
import type { Bench, Row, World } from '../bench.ts';
import type { Demand, Served } from '../clients.ts';
import { exactly, quantile, spread } from '../harness.ts';

/**
 * How many answers a second the agent gives over git.sock, and how long the slowest of 1, 20 and 200 clients wait: an office's
 * worth of editors, submodules and build steps may ask in the same moment. A wait is from a client's connecting to the answer's
 * end. The clients are a process beside the agent, so their own work shares the machine, but is not the agent's.
 *
 * 200 at once can mean three things, and all are measured. In life each client is a process that Git starts, of which two
 * cores can start some hundred a second: 200 that ask ten times a second each are more than come. In one moment: all 200
 * connect, and the next 200 when all have their answer. Without a pause: each asks again the moment it is answered; there the
 * wait is 200 divided by the answers a second, and nothing else.
 */
export const agentLoad: Bench = {
  name: 'agent-load',
  async run(world: World) {
    await serve(world, { clients: 20, rounds: 200, next: 'again' });
    const once = await serve(world, { clients: 1, rounds: 2000, next: 'again' });
    const some = await serve(world, { clients: 20, rounds: 250, next: 'again' });
    const rows = [noErrors('1 client', once), noErrors('20 clients', some)];
    const manners = [
      ['200 clients, each ten times a second', { clients: 200, rounds: 40, next: 100 }],
      ['200 clients in one moment', { clients: 200, rounds: 40, next: 'together' }],
      ['200 clients without a pause', { clients: 200, rounds: 60, next: 'again' }],
    ] as const;
    for (const [who, demand] of manners) rows.push(slowest(who, await serve(world, demand)));
    return rows;
  },
};

async function serve({ sandbox, requestFile }: World, demand: Demand): Promise<Served> {
  const program = join(import.meta.dirname, '../clients.ts');
  const args = [program, gitSocket(sandbox.env), requestFile, JSON.stringify(demand)];
  const options = { env: sandbox.env, maxBuffer: 16 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return JSON.parse(stdout) as Served;
}

function noErrors(who: string, served: Served): Row {
  return {
    what: `answers over git.sock, ${who}: errors`,
    against: '',
    target: { bound: 'at most', value: 0, unit: 'errors' },
    measured: exactly(served.errors),
    ...seen(served),
  };
}

function slowest(who: string, served: Served): Row {
  return {
    what: `${who}: 99th percentile`,
    against: '',
    target: { bound: 'at most', value: 20, unit: 'ms' },
    measured: exactly(percentile99(served)),
    ...seen(served),
  };
}

function seen(served: Served): Pick<Row, 'ours' | 'errors' | 'note'> {
  const perSecond = Math.round(served.waits.length / served.seconds).toLocaleString('en');
  const p99 = percentile99(served).toFixed(1);
  return {
    ours: spread(served.waits),
    errors: served.errors,
    note: `${perSecond} answers a second, ${served.errors} errors, 99th percentile ${p99} ms`,
  };
}

function percentile99({ waits }: Served): number {
  return quantile(
    waits.toSorted((a, b) => a - b),
    0.99,
  );
}
