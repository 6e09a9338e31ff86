import { Problem } from '../../problem/problem.ts';
import type { AgentStatus } from '../protocol.ts';
import type { CallOptions } from './call.ts';
import { agentStatus } from './client.ts';

/** What there is of an agent, as asking it has shown. */
export type FoundAgent<Answer = AgentStatus> =
  | { state: 'none' }
  | { state: 'running'; answer: Answer }
  /** Something has the agent's socket, and does not answer, hangs up, or answers otherwise than an agent does: `problem` says which. */
  | { state: 'hung'; problem: Problem };

/**
 * Looks for the agent, by asking for its status.
 *
 * @throws as agentStatus, where that does not show what there is
 */
export function findAgent(env: NodeJS.ProcessEnv, options: Omit<CallOptions, 'body'> = {}): Promise<FoundAgent> {
  return foundBy(agentStatus(env, options));
}

/**
 * What a call to the agent shows of it.
 *
 * @throws what the call failed by, where that says neither that no agent runs nor that it hangs: its own refusals, `unsafe-folder`, …
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
