import { oldNode } from '../problem/old-node.ts';
import { printProblem } from '../problem/print.ts';
import { Problem } from '../problem/problem.ts';
import { Interrupted } from '../terminal/interrupt.ts';

/** Runs a command in this process, and sets the process's exit code. */
export async function run(command: () => Promise<number>): Promise<void> {
  // An error that no code waits for, such as that of a connection when no more files can be opened, is told in the same way.
  process.once('uncaughtException', (error) => process.exit(printProblem(process.stderr, error)));
  process.exitCode = await exitCodeOf(async () => {
    checkNode();
    return command();
  }, process.stderr);
}

/**
 * Runs a command to its end. This is where its errors are told.
 *
 * @returns its exit code, or that of the error that it throws; at Ctrl-C nothing is said
 */
export async function exitCodeOf(
  command: () => Promise<number>,
  stderr: { write(text: string): unknown },
): Promise<number> {
  try {
    return await command();
  } catch (error) {
    return error instanceof Interrupted ? error.exitCode : printProblem(stderr, error);
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
  throw oldNode('24 or newer');
}
