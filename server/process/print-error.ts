import type { Category } from '../problem/kinds.ts';
import { Problem } from '../problem/problem.ts';
import { forTerminal } from '../text/readable-text.ts';

/** 2 when the command line or the settings are wrong, otherwise 1. */
const exitCode = (category: Category): number => (category === 'usage' ? 2 : 1);

/**
 * Prints an error for the administrator, on standard error: what happened, why and what to do, one line each. What it quotes, such as a
 * list from somebody else, cannot steer the terminal.
 *
 * @returns the exit code for the process
 */
export function printError(error: unknown): number {
  console.error(`vouch-server: ${forTerminal(error instanceof Error ? error.message : String(error))}`);
  return exitCode(error instanceof Problem ? error.category : 'failed');
}
