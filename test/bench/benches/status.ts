import { type Bench, ratioRow, type World } from '../bench.ts';
import { measurePairs, program } from '../harness.ts';

/**
 * `vouch status`, against a Node that does nothing. People have it in their prompt and run it when something is wrong: it
 * should answer before they wonder.
 */
export const status: Bench = {
  name: 'status',
  async run({ sandbox }: World) {
    const how = { env: sandbox.env, cwd: sandbox.home };
    const ours = program('vouch', ['status'], { ...how, expected: /^Session {3}\S+@/ });
    const peer = program('node', ['-e', '0'], how);
    return [ratioRow('vouch status', 'node -e 0', 1.6, await measurePairs(ours, peer, 60))];
  },
};
