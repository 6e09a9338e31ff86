import { fitted } from '../text/hang.ts';
import { printable } from '../text/printable.ts';
import type { ExitCode } from './exit-code.ts';
import type { Note } from './note.ts';
import { asProblem } from './problem.ts';

interface Stream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/**
 * Prints an error for a person: what happened, why, and what to do, one a line.
 *
 * @param stderr where to write
 * @param error a `Problem`, or any other thrown value. Of another value only the message is printed, and never the stack, which could
 *   contain secrets
 * @returns the exit code for the process
 */
export function printProblem(stderr: Stream, error: unknown): ExitCode {
  const problem = asProblem(error);
  printNote(stderr, problem);
  return problem.exitCode;
}

/** Prints a note for a person, in the same form as an error. */
export function printNote(stderr: Stream, { what, why = '', fix = '' }: Note): void {
  const more = [why, fix].filter((part) => part !== '').map((part) => `  ${printable(part)}\n`);
  stderr.write(fitted(`vouch: ${printable(what)}\n${more.join('')}`, stderr));
}
