import { type Bench, ratioRow, type WarmSandbox } from '../bench.ts';
import { measurePairs, program } from '../harness.ts';

/**
 * `vouch status`, against a Node that does nothing. People run it in their prompt and when something is wrong, so it should
 * answer at once.
 */
export const status: Bench = {
  name: 'status',
  async run({ sandbox }: WarmSandbox) {
    const how = { env: sandbox.env, cwd: sandbox.home };
    const ours = program('vouch', ['status'], { ...how, expected: /^Session {3}\S+@/ });
    const peer = program('node', ['-e', '0'], how);
    return [ratioRow('vouch status', 'node -e 0', 1.6, await measurePairs(ours, peer, 60))];
  },
};
