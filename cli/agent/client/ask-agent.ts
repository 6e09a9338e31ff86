import { Problem } from '../../problem/problem.ts';
import { checkRuntimeFolder } from '../../runtime-folder/check-folder.ts';
import { checkSocketPath } from '../../runtime-folder/check-socket.ts';
import { agentSocket, runtimeFolder } from '../../runtime-folder/runtime-folder.ts';
import { parseJson } from '../../text/parse-json.ts';
import { type AgentAnswer, type AgentRequest, exchange, HungUp, TimedOut } from './http-exchange.ts';
import { hung, noMoreFiles, notRunning, silent } from './problems.ts';

/** How long an answer may take, in milliseconds. The agent gives up on server and AWS before that (session/timeouts.ts). */
const usualTimeout = 20_000;

export interface AskOptions {
  body?: string | Uint8Array | undefined;
  /** In milliseconds. */
  timeout?: number | undefined;
  /** Gives the call up, and its reason is thrown. */
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
export async function askAgent(
  env: NodeJS.ProcessEnv,
  asked: `${string} /${string}`,
  { body, timeout = usualTimeout, signal }: AskOptions = {},
): Promise<string> {
  const [method = '', path = ''] = asked.split(' ');
  const folder = runtimeFolder(env);
  const socket = agentSocket(env, folder);
  // No socket can have a longer name, and Node would only report EINVAL.
  checkSocketPath(socket);
  // Anybody who controls the folder could have put a socket there, to receive the session.
  checkRuntimeFolder(folder);
  const { status, text } = await sendAgain({ socket, method, path, body, timeout, signal });
  if (status >= 200 && status < 300) return text;
  throw Problem.fromJSON(parseJson(text)) ?? silent(`It answered with status ${status}.`);
}

/**
 * Sends a request, and sends it again if the connection was cut before an answer: then the agent was just ending, and the second
 * try finds its successor, or none. Every request may be repeated.
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
    // The agent is not at fault, and callers would end an agent that does not answer.
    if (code === 'EMFILE' || code === 'ENFILE') throw noMoreFiles(message);
    // EAGAIN: the socket's queue of waiting connections is full.
    if (error instanceof TimedOut || code === 'EAGAIN') throw hung(request.timeout);
    if (error instanceof HungUp) throw silent('It hung up: it is just ending, or too many ask it at once.', error);
    throw silent(message);
  }
}
