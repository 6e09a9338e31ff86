import { Problem } from '../../problem/problem.ts';
import type { AgentStatus, Dropped } from '../protocol/messages.ts';
import { processOf, seeItEnd } from './end-hung.ts';
import { agentStatus, dropSession } from './requests.ts';

/** An agent that was stopped. */
export interface StoppedAgent extends Pick<AgentStatus, 'session' | 'service'> {
  dropped: Dropped;
}

/**
 * Ends the agent and its session, and waits until the agent's process has ended.
 *
 * @throws Problem `agent-lives` when the agent goes on, because a sign-in gave it another session; as agentStatus, dropSession and
 *   seeItEnd
 */
export async function stopAgent(env: NodeJS.ProcessEnv): Promise<StoppedAgent> {
  const { session, service, pid } = await agentStatus(env);
  const agent = processOf(env, pid);
  const dropped = await dropSession(env);
  if (await hasNewSession(pid, env)) {
    throw new Problem({
      kind: 'agent-lives',
      what: 'The agent goes on: a sign-in has given it another session meanwhile.',
    });
  }
  if (agent) await seeItEnd(agent);
  return { session, service, dropped };
}

async function hasNewSession(pid: number, env: NodeJS.ProcessEnv): Promise<boolean> {
  try {
    const now = await agentStatus(env);
    return now.pid === pid && now.session !== null;
  } catch {
    return false;
  }
}
