import { Problem, type ProblemName } from '../problem.ts';

/**
 * What a ceremony's verifier says, as a person should read it: that the key did not check its user is told, everything else
 * is the given problem, with the verifier's own words as the reason for the log alone.
 */
export function refusal(error: Error, problem: ProblemName, detail: string): Problem {
  if (error.message.includes('User verification')) {
    return new Problem(
      403,
      'user-not-verified',
      'The key did not check that it is you',
      'Set a PIN (or a fingerprint) on the key, then try again.',
      { reason: error.message },
    );
  }
  return new Problem(403, problem, 'The key’s answer was refused', detail, { reason: error.message });
}
