import type { ExitCode } from './category.ts';
import { asProblem } from './problem.ts';

/**
 * Tells a person about an error: what happened, why, and what to do, one a line.
 *
 * @param stderr where to write
 * @param error a `Problem`, or anything else that was thrown, of which only the message is shown (never the stack: it
 *   could carry values that are nobody's business)
 * @returns the exit code for the process
 */
export function printProblem(stderr: { write(text: string): unknown }, error: unknown): ExitCode {
  const problem = asProblem(error);
  const [what, ...rest] = problem.lines();
  stderr.write(`vouch: ${what}\n${rest.map((line) => `  ${line}\n`).join('')}`);
  return problem.exitCode;
}
