import { Problem } from '../../problem/problem.ts';
import type { AgentStatus } from '../protocol/messages.ts';
import type { AskOptions } from './ask-agent.ts';
import { agentStatus } from './requests.ts';

/** The agent's state, as a call has shown it. */
export type FoundAgent<Answer = AgentStatus> =
  | { state: 'none' }
  | { state: 'running'; answer: Answer }
  /** Something has the agent's socket, but does not answer, hangs up, or does not answer as an agent: `problem` is the reason. */
  | { state: 'hung'; problem: Problem };

/**
 * Looks for the agent, by asking for its status.
 *
 * @throws other errors of agentStatus
 */
export function findAgent(env: NodeJS.ProcessEnv, options: Omit<AskOptions, 'body'> = {}): Promise<FoundAgent> {
  return foundBy(agentStatus(env, options));
}

/**
 * The agent's state, as a call shows it.
 *
 * @throws the call's error, if that means neither `none` nor `hung`: the agent's refusals, `unsafe-folder` and the like
 */
export async function foundBy<Answer>(call: Promise<Answer>): Promise<FoundAgent<Answer>> {
  try {
    return { state: 'running', answer: await call };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.kind === 'agent-not-running') return { state: 'none' };
    if (error.kind === 'agent-hung' || error.kind === 'agent-silent') return { state: 'hung', problem: error };
    throw error;
  }
}
