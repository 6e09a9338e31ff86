import { printable } from '../text/printable.ts';
import type { ExitCode } from './exit-code.ts';
import type { Note } from './note.ts';
import { asProblem } from './problem.ts';

interface Stream {
  write(text: string): unknown;
}

/**
 * Tells a person about an error: what happened, why, and what to do, one a line.
 *
 * @param stderr where to write
 * @param error a `Problem`, or anything else that was thrown. Of that only the message is shown, and never the stack: it could
 *   carry values that nobody should see
 * @returns the exit code for the process
 */
export function printProblem(stderr: Stream, error: unknown): ExitCode {
  const problem = asProblem(error);
  printNote(stderr, problem);
  return problem.exitCode;
}

/** Tells a person what they should know, in the form of an error. */
export function printNote(stderr: Stream, { what, why = '', fix = '' }: Note): void {
  const more = [why, fix].filter((part) => part !== '').map((part) => `  ${printable(part)}\n`);
  stderr.write(`vouch: ${printable(what)}\n${more.join('')}`);
}
