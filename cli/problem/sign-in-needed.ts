import { Problem } from './problem.ts';

/** The kinds of which the category is `no-session`. */
type SignInKind =
  | 'agent-not-running'
  | 'login-given-up'
  | 'login-unanswered'
  | 'login-unclear'
  | 'no-session'
  | 'session-over';

/**
 * There is no session, and a login ends that.
 *
 * @param what a sentence that says why there is none
 * @param why more about that, if there is more
 */
export function signInNeeded(kind: SignInKind, what: string, why = ''): Problem {
  return new Problem({ kind, what, why, fix: 'Run `vouch login`, then try again.' });
}
