import { join } from 'node:path';
import { type Bench, ratioRow, type WarmSandbox } from '../bench.ts';
import { measurePairs, program } from '../harness.ts';

/**
 * The credential helper with warm credentials, against Git's own cache in C, which is the fastest helper there is. Every
 * fetch, push, submodule and editor poll waits for the helper, so it should feel as if there were no Vouch. Git's cache has its
 * own daemon here, which holds the credential that Vouch gave.
 */
export const helper: Bench = {
  name: 'helper',
  async run({ sandbox, request, requestFile }: WarmSandbox) {
    const cache = ['credential-cache', '--socket', join(sandbox.folder, 'tmp', 'cache', 'socket')];
    const { stdout } = await sandbox.succeed('git-credential-vouch', ['get'], { input: withoutCapabilities(request) });
    const entry = `${withoutCapabilities(request)}${stdout}`;
    await sandbox.succeed('git', [...cache, '--timeout', '86400', 'store'], { input: entry });
    try {
      const how = { env: sandbox.env, cwd: sandbox.home, input: requestFile, times: 10 };
      const ours = program('git-credential-vouch', ['get'], { ...how, expected: /^(?:password|credential)=/ });
      const peer = program('git', [...cache, 'get'], { ...how, expected: /^password=/ });
      return [
        ratioRow('git-credential-vouch get, warm', 'git credential-cache get', 2.5, await measurePairs(ours, peer, 40)),
      ];
    } finally {
      await sandbox.run('git', [...cache, 'exit']);
    }
  },
};

/** Without capabilities the answer is a plain user name and password. */
export const withoutCapabilities = (request: string) => request.replace(/^capability\[\]=.*\n/gm, '');
