import { Problem } from '../../problem/problem.ts';
import { version } from '../../programs.ts';
import type { NewSession } from '../protocol.ts';
import { agentStatus, dropSession, isNotRunning, isUnresponsive, putSession } from './client.ts';
import { endHungAgent } from './end-hung.ts';
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
 * @throws Problem as startAgent, putSession and endHungAgent
 */
export async function handOverSession(
  session: NewSession,
  env: NodeJS.ProcessEnv = process.env,
  { say = () => {}, signal }: HandOverOptions = {},
): Promise<void> {
  await makeWay(env, say, signal);
  for (let tries = 1; ; tries++) {
    await startAgent(env);
    signal?.throwIfAborted();
    try {
      return await putSession(session, env);
    } catch (error) {
      if (tries === mostTries || !isEnding(error)) throw error;
    }
  }
}

/**
 * Ends an agent that does not answer, if one is there: before a person is asked to touch a key for a session that could then
 * be handed to nobody.
 *
 * @throws Problem as agentStatus and endHungAgent
 */
export async function endUnresponsiveAgent(
  env: NodeJS.ProcessEnv,
  { say = () => {}, signal }: HandOverOptions = {},
): Promise<void> {
  try {
    await agentStatus(env, signal);
  } catch (error) {
    await endIfUnresponsive(error, env, say, signal);
  }
}

async function makeWay(
  env: NodeJS.ProcessEnv,
  say: (text: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    const running = await agentStatus(env, signal);
    if (running.version === version) return;
    say(`The agent of version ${running.version} ends now, and one of version ${version} takes its place.`);
    const { revoked, reason } = await dropSession(env);
    if (running.session === null || revoked) return;
    say(
      `The server could not be told that your earlier session is over; nothing of it is left here. ${reason ?? ''}`.trim(),
    );
  } catch (error) {
    await endIfUnresponsive(error, env, say, signal);
  }
}

/** @param error what came of asking the agent */
async function endIfUnresponsive(
  error: unknown,
  env: NodeJS.ProcessEnv,
  say: (text: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (isNotRunning(error)) return;
  if (!isUnresponsive(error)) throw error;
  say('The agent that was running does not answer, so it is ended, and a new one takes its place.');
  await endHungAgent(env, signal);
}

/** Whether the agent was there and is no more, or says that it is ending. */
function isEnding(error: unknown): boolean {
  return isNotRunning(error) || (error instanceof Problem && error.kind === 'agent-leaving');
}
