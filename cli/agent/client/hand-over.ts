import { Problem } from '../../problem/problem.ts';
import { version } from '../../programs.ts';
import type { AgentStatus, NewSession } from '../protocol.ts';
import { dropSession, putSession } from './client.ts';
import { endHungAgent } from './end-hung.ts';
import { type FoundAgent, findAgent, foundBy } from './find-agent.ts';
import { startAgent } from './start.ts';

/** How often a session is handed over before it is given up: each time an agent was just ending. */
const mostTries = 5;

export interface HandOverOptions {
  /** Tells the person that an agent is replaced, and why. */
  say?: (text: string) => void;
  /** Gives it up; its reason is what is thrown then. */
  signal?: AbortSignal;
}

/**
 * Hands a new session to an agent of this version. One of another version and one that does not answer are ended first, and what
 * they had ends with them; one that is just ending refuses it, and then its successor is asked.
 *
 * @throws Problem as findAgent, endHungAgent, startAgent and putSession
 */
export async function handOverSession(
  session: NewSession,
  env: NodeJS.ProcessEnv,
  options: HandOverOptions = {},
): Promise<void> {
  // Looked for now: since the login began, minutes ago, another one may have come, or the one that was there have ended.
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
 * Ends an agent that was found to hang: before a person is asked to touch a key for a session that could then be handed to nobody.
 *
 * @throws Problem as endHungAgent
 */
export async function endIfHung(
  found: FoundAgent<unknown>,
  env: NodeJS.ProcessEnv,
  { say = () => {}, signal }: HandOverOptions = {},
): Promise<void> {
  if (found.state !== 'hung') return;
  say('The agent that was running does not answer, so it is ended, and a new one takes its place.');
  await endHungAgent(env, signal);
}

/** @returns what was found if it may stay, and nothing when it was ended: by now there may be a successor */
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

/** Whether the agent was there and is no more, or says that it is ending. */
function isEnding(error: unknown): boolean {
  return error instanceof Problem && (error.kind === 'agent-not-running' || error.kind === 'agent-leaving');
}
