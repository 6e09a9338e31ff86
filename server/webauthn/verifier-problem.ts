import type { Kind } from '../problem/kinds.ts';
import { Problem, type ProblemDetails } from '../problem/problem.ts';
import { userWasNotVerified } from './verifier-words.ts';

/**
 * Turns a verifier's error into a Problem. A person learns if the key did not check its user; any other error is a problem of the given
 * kind. The verifier’s own words are the reason, only for the log.
 */
export function verifierProblem(
  error: Error,
  kind: Kind,
  fix: string,
  members: NonNullable<ProblemDetails['members']> = {},
): Problem {
  if (userWasNotVerified(error)) {
    return new Problem({
      kind: 'user-not-verified',
      what: 'The key did not check that it is you',
      fix: 'Set a PIN (or a fingerprint) on the key, then try again.',
      reason: error.message,
    });
  }
  return new Problem({ kind, what: 'The key’s answer was refused', fix, reason: error.message, members });
}
