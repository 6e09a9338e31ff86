import { UnreachableError } from '../call.ts';
import { CeremonyError } from '../ceremony.ts';
import { ProblemError } from '../problem.ts';
import { UnsupportedError } from '../webauthn-support.ts';
import { explainCeremony } from './ceremony-error.ts';
import { commandFor, type Explanation, type Purpose } from './explanation.ts';
import { explainProblem } from './server-problem.ts';

/**
 * Puts anything that a page catches into words.
 *
 * @param host the server's name, as the person knows it
 */
export function explain(error: unknown, purpose: Purpose, host: string): Explanation {
  if (error instanceof ProblemError) return explainProblem(error.problem, purpose);
  if (error instanceof CeremonyError) return explainCeremony(error, purpose);
  if (error instanceof UnsupportedError) return explainUnsupported(error, purpose);
  if (error instanceof UnreachableError) {
    return {
      kind: 'unreachable',
      mood: 'warning',
      title: `${host} does not answer.`,
      advice: 'Check your network or VPN, then try again.',
      canRetry: true,
    };
  }
  return {
    kind: 'unexpected',
    mood: 'warning',
    title: 'Something went wrong on this page.',
    advice: 'Try again. If it happens again, tell your administrator.',
    canRetry: true,
  };
}

function explainUnsupported({ lacks }: UnsupportedError, purpose: Purpose): Explanation {
  if (lacks === 'https') {
    return {
      kind: 'insecure',
      mood: 'refused',
      title: 'Security keys work only over HTTPS.',
      advice: 'This page was opened without it. Ask your administrator for the server’s https:// address.',
      canRetry: false,
    };
  }
  return {
    kind: 'no-webauthn',
    mood: 'refused',
    title: 'This browser can’t use security keys.',
    advice: `Make a current Firefox, Chrome, Edge or Safari your default browser, then run \`${commandFor(purpose)}\` again.`,
    canRetry: false,
  };
}
