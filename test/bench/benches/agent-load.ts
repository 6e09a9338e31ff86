import { connect } from 'node:net';
import { gitSocket } from '../../../cli/paths.ts';
import type { Bench, Row, World } from '../bench.ts';
import { quantile, spread } from '../harness.ts';

/**
 * How many answers a second the agent gives over git.sock to 1, 20 and 200 clients at once, and how long the slowest wait:
 * an office's worth of editors, submodules and build steps may ask in the same moment. Each client connects, asks, reads the
 * answer to its end, and begins again at once. They are all in this one process, so their own work is in the figures.
 */
export const agentLoad: Bench = {
  name: 'agent-load',
  async run({ sandbox, request }: World) {
    const path = gitSocket(sandbox.env);
    await load(path, request, 20, 500);
    const rows: Row[] = [];
    for (const clients of [1, 20, 200]) {
      const { waits, errors, seconds } = await load(path, request, clients, 3000);
      const sorted = waits.toSorted((a, b) => a - b);
      const perSecond = Math.round(waits.length / seconds);
      const p99 = quantile(sorted, 0.99);
      const all = spread(waits);
      const exact = (value: number) => ({ median: value, low: value, high: value, count: waits.length });
      rows.push({
        what: `answers over git.sock, ${clients} ${clients === 1 ? 'client' : 'clients'}: ${clients === 200 ? '99th percentile' : 'errors'}`,
        against: '',
        ...(clients === 200
          ? { target: { bound: 'at most', value: 20, unit: 'ms' }, measured: exact(p99) }
          : { target: { bound: 'at most', value: 0, unit: 'errors' }, measured: exact(errors) }),
        ours: all,
        errors,
        note: `${perSecond.toLocaleString('en')} answers a second, ${errors} errors, 99th percentile ${p99.toFixed(1)} ms`,
      });
    }
    return rows;
  },
};

/** Clients that ask one after the other until all requests are done. */
async function load(path: string, request: string, clients: number, requests: number) {
  const waits: number[] = [];
  let errors = 0;
  let left = requests;
  const client = async () => {
    while (left-- > 0) {
      const start = performance.now();
      const answer = await ask(path, `action=get\ntimeout=900\n${request}`).catch(() => '');
      if (/^(?:password|credential)=/m.test(answer)) waits.push(performance.now() - start);
      else errors++;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  return { waits, errors, seconds: (performance.now() - start) / 1000 };
}

function ask(path: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true }, () => socket.end(request));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.once('error', reject);
    socket.once('end', () => resolve(answer));
  });
}
