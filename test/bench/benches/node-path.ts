import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeOptions } from '../../../cli/programs.ts';
import { type Bench, ratioRow, type WarmSandbox } from '../bench.ts';
import { measurePairs, program } from '../harness.ts';

/**
 * The Node program behind the credential helper, against a Node that does nothing. It answers when the shell script cannot; we
 * can save only what it loads and does after Node has started. For a Git that does not understand `authtype`, it answers only
 * after `git config` has shown that no other helper would store the answer, so both kinds of requests are measured.
 */
export const nodePath: Bench = {
  name: 'node-path',
  async run({ sandbox, request }: WarmSandbox) {
    const how = { env: sandbox.env, cwd: sandbox.home };
    const file = join(sandbox.folder, 'package/dist/cli/git-credential-vouch/main.cjs');
    const peer = program('node', ['-e', '0'], how);
    const plain = request.replaceAll(/^capability\[\]=.*\n/gm, '');
    const measured = async (what: string, asked: string) => {
      const input = join(sandbox.folder, 'tmp', 'node-path-request');
      writeFileSync(input, asked);
      const ours = program('node', [...nodeOptions, file, 'get'], {
        ...how,
        input,
        expected: /^(?:password|credential)=/,
      });
      return ratioRow(what, 'node -e 0', 1.4, await measurePairs(ours, peer, 60));
    };
    return [
      await measured('the same through Node', `capability[]=authtype\n${plain}`),
      await measured('the same, and `git config` asked first', plain),
    ];
  },
};
