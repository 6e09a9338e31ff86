import type { Category } from '../problem/kinds.ts';
import { Problem } from '../problem/problem.ts';

/** What a command ends with: 2 when it was called wrongly or is set up wrongly, else 1. */
const exitCode = (category: Category): number => (category === 'usage' ? 2 : 1);

/**
 * Tells the administrator of an error on standard error: what happened, why, and what to do, one a line.
 *
 * @returns the exit code for the process
 */
export function report(error: unknown): number {
  console.error(`vouch-server: ${error instanceof Error ? error.message : String(error)}`);
  return exitCode(error instanceof Problem ? error.category : 'failed');
}
