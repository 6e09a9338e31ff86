import { endOtherSessions, endSession } from '../agent/client/account-requests.ts';
import { dropSession } from '../agent/client/requests.ts';
import type { AccountSessions, Ending } from '../agent/protocol/account.ts';
import { Problem } from '../problem/problem.ts';
import type { Endable } from './find.ts';

/** What ended, and whether this machine's session did. */
export interface Ended extends Ending {
  signedOut: boolean;
}

const nothing: Ended = { sessions: 0, browsers: 0, awsCredentialsUntil: null, signedOut: false };

/**
 * Ends sessions at the server, this machine's own one last: it takes along the agent and all that it has.
 *
 * @throws Problem as endSession
 */
export async function endThese(which: readonly Endable[], env: NodeJS.ProcessEnv): Promise<Ended> {
  const isOwn = (one: Endable) => one.kind === 'session' && one.session.current;
  let ended = nothing;
  for (const one of which.toSorted((a, b) => Number(isOwn(a)) - Number(isOwn(b)))) {
    const id = one.kind === 'session' ? one.session.id : one.browser.id;
    ended = sum(ended, await endSession(id, env), isOwn(one));
  }
  if (ended.signedOut) await forgetHere(env);
  return ended;
}

/**
 * Ends all sessions but this machine's, or all of them.
 *
 * @throws Problem as endOtherSessions and endSession
 */
export async function endAll(
  { sessions }: AccountSessions,
  { others }: { others: boolean },
  env: NodeJS.ProcessEnv,
): Promise<Ended> {
  const ended = sum(nothing, await endOtherSessions(env), false);
  if (others) return ended;
  const own = sessions.filter(({ current }) => current).map((session) => ({ kind: 'session' as const, session }));
  const last = await endThese(own, env);
  return sum(ended, last, last.signedOut);
}

/** Makes the agent drop everything, when the server has ended its session. An agent that does not answer hears of it from the server. */
export async function forgetHere(env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await dropSession(env);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}

function sum(one: Ended, other: Ending, signedOut: boolean): Ended {
  const [latest = null] = [one, other]
    .flatMap(({ awsCredentialsUntil: until }) => (until === null ? [] : [until]))
    .sort()
    .reverse();
  return {
    sessions: one.sessions + other.sessions,
    browsers: one.browsers + other.browsers,
    awsCredentialsUntil: latest,
    signedOut: one.signedOut || signedOut,
  };
}
