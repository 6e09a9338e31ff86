import { Problem } from '../../problem/problem.ts';
import { checkRuntimeFolder } from '../../runtime-folder/check-folder.ts';
import { checkSocketPath } from '../../runtime-folder/check-socket.ts';
import { agentSocket, runtimeFolder } from '../../runtime-folder/runtime-folder.ts';
import { parseJson } from '../../text/parse-json.ts';
import { type AgentAnswer, type AgentRequest, exchange, HungUp, TimedOut } from './exchange.ts';
import { hung, noMoreFiles, notRunning, silent } from './problems.ts';

/** How long an answer may take, in milliseconds: the agent gives up on server and AWS before that (session/timeouts.ts). */
const usualTimeout = 20_000;

export interface CallOptions {
  body?: string | Uint8Array | undefined;
  /** In milliseconds. */
  timeout?: number | undefined;
  /** Gives it up; its reason is what is thrown then. */
  signal?: AbortSignal | undefined;
}

/**
 * Asks the agent something, and reads its answer.
 *
 * @param asked the method and the path, such as `GET /status`
 * @returns the answer's body
 * @throws Problem the agent's own; `agent-not-running`, `agent-hung`, `agent-silent`, `too-many-files`; as checkRuntimeFolder and
 *   checkSocketPath
 */
export async function call(
  env: NodeJS.ProcessEnv,
  asked: `${string} /${string}`,
  { body, timeout = usualTimeout, signal }: CallOptions = {},
): Promise<string> {
  const [method = '', path = ''] = asked.split(' ');
  const folder = runtimeFolder(env);
  const socket = agentSocket(env, folder);
  // Nothing can be behind a name that no socket can have; Node would only say EINVAL.
  checkSocketPath(socket);
  // Others who control the folder could have put a socket of theirs there, to be handed the session.
  checkRuntimeFolder(folder);
  const { status, text } = await sendAgain({ socket, method, path, body, timeout, signal });
  if (status >= 200 && status < 300) return text;
  throw Problem.fromJSON(parseJson(text)) ?? silent(`It answered with status ${status}.`);
}

/**
 * Sends a request, and once more if the connection was cut before an answer: that is an agent that was just ending, and
 * the next try finds its successor, or none. Every request may be repeated.
 */
async function sendAgain(request: AgentRequest): Promise<AgentAnswer> {
  const until = performance.now() + request.timeout;
  try {
    return await send(request);
  } catch (error) {
    if (!(error instanceof Problem) || error.cause === undefined) throw error;
    return await send({ ...request, timeout: Math.max(1, until - performance.now()) });
  }
}

async function send(request: AgentRequest): Promise<AgentAnswer> {
  try {
    return await exchange(request);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') throw notRunning();
    if (request.signal?.aborted) throw error;
    // It says nothing of the agent, which would be ended for it.
    if (code === 'EMFILE' || code === 'ENFILE') throw noMoreFiles(message);
    // EAGAIN: as many wait for it already as the system lets wait.
    if (error instanceof TimedOut || code === 'EAGAIN') throw hung(request.timeout);
    if (error instanceof HungUp) throw silent('It hung up: it is just ending, or too many ask it at once.', error);
    throw silent(message);
  }
}
