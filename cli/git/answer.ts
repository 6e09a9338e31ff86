import { gitCredentials } from '../agent/client.ts';
import { codeCommitHost } from '../aws/partitions.ts';
import type { Io } from '../io.ts';
import { asProblem, printable } from '../problem.ts';
import { parseGitRequest } from './request.ts';

/**
 * Answers a credential request of Git's over the agent, or says why it cannot be answered.
 *
 * A request that is malformed or not about CodeCommit over HTTPS gets no answer, so that Git goes on to its other
 * helpers. Any trouble with one that is ours ends in `quit=1` (git-credential(1)): Git then stops, instead of asking for
 * a user name and password that do not exist. The exit code is 0 in every case, as Git reads the answer whatever it is.
 *
 * @param request the lines as Git wrote them
 */
export async function answer(request: Uint8Array, io: Io): Promise<void> {
  const asked = parseGitRequest(request);
  if (asked?.protocol !== 'https' || codeCommitHost(asked.host) === undefined) return;
  try {
    io.stdout.write(await gitCredentials(request, io.env));
  } catch (error) {
    const problem = asProblem(error);
    // Without a session there is one thing to do, whatever the reason, so one line says it all.
    const lines = problem.exitCode === 3 ? [sentence(problem)] : problem.lines();
    io.stderr.write(lines.map((line) => `vouch: ${line}\n`).join(''));
    io.stdout.write('quit=1\n');
  }
}

function sentence({ what, fix }: { what: string; fix: string }): string {
  return printable(`${what.charAt(0).toLowerCase()}${what.slice(1)} ${fix}`);
}
