import type { Problem } from '../problem/problem.ts';
import { printable } from '../text/printable.ts';
import type { Finding } from './check.ts';

/**
 * A Problem as a finding that fails its check.
 *
 * @param id the finding's name for scripts
 * @param more what the check adds. A `what` or `steps` in it replaces the Problem's
 */
export function problemAsFinding(id: string, problem: Problem, more: Partial<Finding> = {}): Finding {
  const lines = (text: string) => (text === '' ? [] : [printable(text)]);
  return {
    id,
    severity: 'trouble',
    what: printable(problem.what),
    ...more,
    why: [...lines(problem.why), ...(more.why ?? [])],
    steps: more.steps ?? lines(problem.fix),
  };
}
