import { Problem } from '../../problem/problem.ts';
import { version } from '../../programs.ts';
import type { AgentStatus, NewSession } from '../protocol/messages.ts';
import { endHungAgent } from './end-hung.ts';
import { type FoundAgent, findAgent, foundBy } from './find-agent.ts';
import { dropSession, putSession } from './requests.ts';
import { startAgent } from './start.ts';

/** How often to try: each try may find an agent that is just ending. */
const mostTries = 5;

export interface HandOverOptions {
  /** Tells the person why an agent is replaced. */
  say?: (text: string) => void;
  /** Ends the wait, and its reason is thrown. */
  signal?: AbortSignal;
}

/**
 * Hands a new session to an agent of this version. An agent of another version, and one that does not answer, is ended first, and
 * its session with it. An agent that is just ending refuses the session, which then goes to its successor.
 *
 * @throws Problem as findAgent, endHungAgent, startAgent and putSession
 */
export async function handOverSession(
  session: NewSession,
  env: NodeJS.ProcessEnv,
  options: HandOverOptions = {},
): Promise<void> {
  // The login may have begun minutes ago. That agent may have ended since, and another one may run.
  let found = await makeWay(await findAgent(env, options), env, options);
  for (let tries = 1; ; tries++) {
    await startAgent(env, found);
    options.signal?.throwIfAborted();
    try {
      return await putSession(session, env);
    } catch (error) {
      if (tries === mostTries || !isEnding(error)) throw error;
    }
    found = undefined;
  }
}

/**
 * Ends an agent that hangs. A login does so before the person touches a key: the session needs an agent that takes it.
 *
 * @throws Problem as endHungAgent
 */
export async function endIfHung(
  found: FoundAgent<unknown>,
  env: NodeJS.ProcessEnv,
  { say = () => {}, signal }: HandOverOptions = {},
): Promise<void> {
  if (found.state !== 'hung') return;
  say('The running agent does not answer, so it is ended, and a new one takes its place.');
  await endHungAgent(env, signal);
}

/** @returns what was found, if it may stay; undefined when it was ended, because a successor may run by now */
async function makeWay(
  found: FoundAgent,
  env: NodeJS.ProcessEnv,
  options: HandOverOptions,
): Promise<FoundAgent | undefined> {
  if (found.state === 'none' || (found.state === 'running' && found.answer.version === version)) return found;
  const other = found.state === 'running' ? await foundBy(endOtherVersion(found.answer, env, options)) : found;
  await endIfHung(other, env, options);
  return undefined;
}

async function endOtherVersion(
  running: AgentStatus,
  env: NodeJS.ProcessEnv,
  { say = () => {} }: HandOverOptions,
): Promise<void> {
  say(`The agent of version ${running.version} ends now, and one of version ${version} takes its place.`);
  const { revoked, reason } = await dropSession(env);
  if (running.session === null || revoked) return;
  say(
    `The server could not be told that your earlier session is over; nothing of it is left here. ${reason ?? ''}`.trim(),
  );
}

/** Whether the agent has just ended, or is about to. */
function isEnding(error: unknown): boolean {
  return error instanceof Problem && (error.kind === 'agent-not-running' || error.kind === 'agent-leaving');
}
