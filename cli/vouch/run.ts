import { printProblem } from '../problem/print.ts';
import { Problem } from '../problem/problem.ts';
import { Interrupted } from '../terminal/interrupt.ts';

/** Runs a command of `vouch` to its end; what it throws is told on standard error, and becomes the exit code. */
export async function run(command: () => Promise<void>): Promise<void> {
  // What fails where nobody waits for it, such as a connection when no more files can be opened, is told in the same way.
  process.once('uncaughtException', (error) => process.exit(printProblem(process.stderr, error)));
  try {
    checkNode();
    await command();
  } catch (error) {
    process.exitCode = error instanceof Interrupted ? error.exitCode : printProblem(process.stderr, error);
  }
}

/**
 * Ends the program when standard output cannot be written to: with a sentence, or, where nobody reads any further, as SIGPIPE,
 * which Node ignores, ends other programs.
 */
export function notWritten(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit(141);
  const full = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  const problem = new Problem({
    kind: 'output',
    what: 'What there is to say could not be written.',
    why: full ? 'Standard output goes to a disk that is full.' : error.message,
    fix: full ? 'Make room there, or have it written elsewhere.' : 'Have it written elsewhere.',
  });
  process.exit(printProblem(process.stderr, problem));
}

/** Older Nodes lack what the agent is started with, and would say so in words that help nobody. */
function checkNode(): void {
  if (Number.parseInt(process.versions.node, 10) >= 24) return;
  throw new Problem({
    kind: 'old-node',
    what: `Vouch needs Node 24 or newer, and this is ${process.versions.node}.`,
    fix: 'Install a newer Node, or put it first on your PATH.',
  });
}
