import { Problem } from './problem.ts';

/** The kinds whose category is `no-session`. */
type SignInKind =
  | 'agent-not-running'
  | 'login-given-up'
  | 'login-unanswered'
  | 'login-unclear'
  | 'no-session'
  | 'session-over';

/**
 * The Problem when there is no session: its fix is a login.
 *
 * @param what why there is no session, a sentence
 * @param why more about the cause, if there is more
 */
export function signInNeeded(kind: SignInKind, what: string, why = ''): Problem {
  return new Problem({ kind, what, why, fix: 'Run `vouch login`, then try again.' });
}
