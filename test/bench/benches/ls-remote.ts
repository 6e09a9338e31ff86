import { join } from 'node:path';
import type { Bench, WarmSandbox } from '../bench.ts';
import { measurePairs } from '../harness.ts';
import { withoutCapabilities } from './helper.ts';

/**
 * A whole Git operation with Vouch, against the same with a fixed user name and password from a file: the difference is how long
 * a person waits for Vouch when they fetch. The Git server is on this machine, so both are faster than in real life, but the
 * difference is the same.
 */
export const lsRemote: Bench = {
  name: 'ls-remote',
  async run({ sandbox, request }: WarmSandbox) {
    const plain = withoutCapabilities(request);
    const { stdout } = await sandbox.succeed('git-credential-vouch', ['get'], { input: plain });
    const file = join(sandbox.folder, 'tmp', 'stored-credentials');
    const entry = `${plain}${stdout}`;
    await sandbox.succeed('git', ['credential-store', '--file', file, 'store'], { input: entry });
    // The empty value clears the helpers that the sandbox's own settings name.
    const stored = ['-c', 'credential.helper=', '-c', `credential.helper=store --file ${file}`];

    // Not `program`, which blocks: the local CodeCommit answers from this process.
    const ours = { run: () => sandbox.succeed('git', ['ls-remote', sandbox.repositoryUrl]) };
    const peer = { run: () => sandbox.succeed('git', [...stored, 'ls-remote', sandbox.repositoryUrl]) };
    const pairs = await measurePairs(ours, peer, 60);
    return [
      {
        what: 'git ls-remote with Vouch: the difference',
        against: 'git ls-remote with credential.helper=store',
        target: { bound: 'at most', value: 15, unit: 'ms' },
        measured: pairs.difference,
        ours: pairs.ours,
        peer: pairs.peer,
      },
    ];
  },
};
