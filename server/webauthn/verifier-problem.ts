import type { Kind } from '../problem/kinds.ts';
import { Problem, type ProblemDetails } from '../problem/problem.ts';

/** Turns a verifier's error into a Problem of the given kind. The verifier's own words are the reason, only for the log. */
export function verifierProblem(
  error: Error,
  kind: Kind,
  fix: string,
  members: NonNullable<ProblemDetails['members']> = {},
): Problem {
  return new Problem({ kind, what: 'The key’s answer was refused', fix, reason: error.message, members });
}
