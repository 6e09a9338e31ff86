import { setTimeout as sleep } from 'node:timers/promises';
import { checkRuntimeFolder } from '../../runtime-folder/check-folder.ts';
import { type AgentProcess, isAgent, isRunning, readPidFile } from '../../runtime-folder/pid-file.ts';
import { runtimeFolder } from '../../runtime-folder/runtime-folder.ts';
import { notEnded, unknownProcess } from './problems.ts';

/** How long a process may take to end by itself, and how long the system may take to end it, in milliseconds. */
const [termTimeout, killTimeout] = [2000, 5000];

/** The pause between two looks at the process, in milliseconds. */
const pause = 20;

/**
 * Ends the process of an agent that does not answer. The secrets in its memory are gone then. The server does not hear of it.
 *
 * @param signal ends the wait, and its reason is thrown
 * @throws Problem `agent-unknown` when it is not certain which process it is (none is ended then); `agent-lives`
 */
export async function endHungAgent(env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<void> {
  const folder = runtimeFolder(env);
  checkRuntimeFolder(folder);
  const agent = readPidFile(folder);
  if (agent === undefined) throw unknownProcess('Its file agent.pid names no process.');
  if (!isRunning(agent)) throw unknownProcess(`Process ${agent.pid} was the agent, and has ended.`);
  if (!isAgent(agent, folder)) {
    throw unknownProcess(`agent.pid names process ${agent.pid}, which has none of the agent's sockets.`);
  }
  await endProcess(agent, signal);
}

/**
 * The process of an agent, to wait for its end later. To be called while the agent still answers.
 *
 * @param pid as its status has it
 * @returns undefined when the agent's process is not certain, or is this one
 */
export function processOf(env: NodeJS.ProcessEnv, pid: number): AgentProcess | undefined {
  const folder = runtimeFolder(env);
  const agent = readPidFile(folder);
  const isIt = agent?.pid === pid && pid !== process.pid && isRunning(agent) && isAgent(agent, folder);
  return isIt ? agent : undefined;
}

/**
 * Waits for the end of an agent that was asked to end, and ends its process if that takes too long.
 *
 * @param agent from processOf
 * @throws Problem `agent-lives`
 */
export async function seeItEnd(agent: AgentProcess): Promise<void> {
  if (!(await hasEnded(agent, termTimeout, undefined))) await endProcess(agent, undefined);
}

async function endProcess(agent: AgentProcess, signal: AbortSignal | undefined): Promise<void> {
  // A stopped process (SIGSTOP, a debugger) takes SIGTERM only when it continues, and then ends in good order.
  send(agent, 'SIGTERM');
  send(agent, 'SIGCONT');
  if (await hasEnded(agent, termTimeout, signal)) return;
  send(agent, 'SIGKILL');
  if (await hasEnded(agent, killTimeout, signal)) return;
  throw notEnded(agent.pid);
}

function send(agent: AgentProcess, signal: NodeJS.Signals): void {
  if (!isRunning(agent)) return;
  try {
    process.kill(agent.pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EPERM') throw unknownProcess(`Process ${agent.pid} is another user's, or the system protects it.`);
    // It has ended since.
    if (code !== 'ESRCH') throw error;
  }
}

async function hasEnded(agent: AgentProcess, longest: number, signal: AbortSignal | undefined): Promise<boolean> {
  const deadline = performance.now() + longest;
  while (isRunning(agent)) {
    if (performance.now() > deadline) return false;
    await sleep(pause);
    signal?.throwIfAborted();
  }
  return true;
}
