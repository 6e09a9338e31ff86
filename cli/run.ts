import { Interrupted } from './login/interrupt.ts';
import { Problem, printProblem } from './problem.ts';

/** Runs a command of `vouch` to its end; what it throws is told on standard error, and becomes the exit code. */
export async function run(command: () => Promise<void>): Promise<void> {
  try {
    checkNode();
    await command();
  } catch (error) {
    process.exitCode = error instanceof Interrupted ? error.exitCode : printProblem(process.stderr, error);
  }
}

/**
 * What to do when standard output cannot be written to. Where nobody reads any further the program ends as SIGPIPE, which
 * Node ignores, ends other programs.
 */
export function notRead(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(141);
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
