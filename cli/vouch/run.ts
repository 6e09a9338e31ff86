import { oldNode } from '../problem/old-node.ts';
import { printProblem } from '../problem/print.ts';
import { Problem } from '../problem/problem.ts';
import { Interrupted } from '../terminal/interrupt.ts';

/** Runs a command in this process, and sets the process's exit code. */
export async function run(command: () => Promise<number>): Promise<void> {
  // Errors that no code waits for are printed in the same way: for example a connection's, when no more files can be opened.
  process.once('uncaughtException', (error) => process.exit(printProblem(process.stderr, error)));
  process.exitCode = await runToExitCode(async () => {
    checkNode();
    return command();
  }, process.stderr);
}

/**
 * Runs a command to its end, and prints the error if it throws one; at Ctrl-C it prints nothing.
 *
 * @returns the command's exit code, or the error's
 */
export async function runToExitCode(
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
 * Ends the program when standard output cannot be written to. If the reader has gone, nothing is printed, and the exit code is that
 * of SIGPIPE, which ends other programs, but which Node ignores.
 */
export function notWritten(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit(141);
  const full = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  const problem = new Problem({
    kind: 'output',
    what: 'The output could not be written.',
    why: full ? 'Standard output goes to a disk that is full.' : error.message,
    fix: full ? 'Make room there, or write it elsewhere.' : 'Write it elsewhere.',
  });
  process.exit(printProblem(process.stderr, problem));
}

/** An older Node lacks options with which the agent is started, and its own message would not help a person. */
function checkNode(): void {
  if (Number.parseInt(process.versions.node, 10) >= 24) return;
  throw oldNode('24 or newer');
}
