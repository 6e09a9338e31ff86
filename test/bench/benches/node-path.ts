import { join } from 'node:path';
import { type Bench, ratioRow, type World } from '../bench.ts';
import { measurePairs, program } from '../harness.ts';

/**
 * The Node program behind the credential helper, against a Node that does nothing. It answers where the shell script
 * cannot, so what it loads and does beside starting Node is what can be saved.
 */
export const nodePath: Bench = {
  name: 'node-path',
  async run({ sandbox, requestFile }: World) {
    const how = { env: sandbox.env, cwd: sandbox.home };
    const file = join(sandbox.folder, 'package/dist/cli/git-credential-vouch/main.cjs');
    const ours = program('node', [file, 'get'], { ...how, input: requestFile, expected: /^(?:password|credential)=/ });
    const peer = program('node', ['-e', '0'], how);
    return [ratioRow('the same through Node, warm', 'node -e 0', 1.4, await measurePairs(ours, peer, 60))];
  },
};
