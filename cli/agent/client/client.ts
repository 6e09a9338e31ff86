import { awsConfigFile } from '../../paths.ts';
import { Problem } from '../../problem/problem.ts';
import {
  agentSocket,
  checkRuntimeFolder,
  checkSocketPath,
  runtimeFolder,
} from '../../runtime-folder/runtime-folder.ts';
import { count } from '../../text/count.ts';
import type { AgentStatus, CredentialsAnswer, Dropped, LogAnswer, NewSession, RoleClaims } from '../protocol.ts';
import { type AgentAnswer, type AgentRequest, exchange, HungUp, TimedOut } from './exchange.ts';

/**
 * The agent's end of these calls is agent/sockets/http-socket.ts. Each throws a Problem: the agent's own, or `agent-not-running`
 * (exit code 3), `agent-hung`, `agent-silent`, `unsafe-folder`, `foreign-socket`, `socket-path`.
 */

/** The longest that the agent is waited for, in milliseconds: it gives up on server and AWS itself before (patience.ts). */
const patience = 20_000;

/**
 * What the agent is and has; no secrets.
 *
 * @param signal gives the wait up; its reason is what is thrown then
 * @param within the longest wait, in milliseconds
 */
export async function agentStatus(
  env: NodeJS.ProcessEnv = process.env,
  signal?: AbortSignal,
  within = 5000,
): Promise<AgentStatus> {
  return JSON.parse(await call(env, 'GET', '/status', undefined, within, signal)) as AgentStatus;
}

/** What the agent has logged since an entry, or since its start; no secrets. */
export async function agentLogs(after = 0, env: NodeJS.ProcessEnv = process.env): Promise<LogAnswer> {
  return JSON.parse(await call(env, 'GET', `/logs?after=${after}`, undefined, 5000)) as LogAnswer;
}

/** Hands a new session over; it replaces any earlier one. */
export async function putSession(session: NewSession, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  await call(env, 'PUT', '/session', JSON.stringify(session));
}

/** Ends the session, here and at the server, and the agent with it. */
export async function dropSession(env: NodeJS.ProcessEnv = process.env): Promise<Dropped> {
  return JSON.parse(await call(env, 'DELETE', '/session')) as Dropped;
}

/**
 * AWS credentials for a role.
 *
 * @param role the role's ARN
 * @param region whose STS is asked; without one, what is in hand for any region will do
 */
export async function awsCredentials(
  role: string,
  region: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Promise<CredentialsAnswer> {
  const query = new URLSearchParams(region === undefined ? { role } : { role, region });
  return JSON.parse(await call(env, 'GET', `/credentials?${query}`)) as CredentialsAnswer;
}

export interface ProfileCredentialsOptions {
  /** Whose STS is asked; without one, what is in hand for any region will do. */
  region?: string;
  /** Whether AWS is to be asked even though there is something in hand. */
  fresh?: boolean;
}

/**
 * AWS credentials for a profile of Vouch's, a chained one too.
 *
 * @param name the profile's name in the AWS config file that `env` leads to
 */
export async function profileCredentials(
  name: string,
  { region, fresh = false }: ProfileCredentialsOptions,
  env: NodeJS.ProcessEnv = process.env,
): Promise<CredentialsAnswer> {
  const query = new URLSearchParams({ profile: name, config: awsConfigFile(env) });
  if (region !== undefined) query.set('region', region);
  if (fresh) query.set('fresh', '1');
  return JSON.parse(await call(env, 'GET', `/credentials?${query}`)) as CredentialsAnswer;
}

/**
 * What the server says in an ID token for a role: the claims of a fresh one, never the token itself.
 *
 * @param role the role's ARN
 */
export async function roleClaims(role: string, env: NodeJS.ProcessEnv = process.env): Promise<RoleClaims> {
  return JSON.parse(await call(env, 'GET', `/claims?${new URLSearchParams({ role })}`)) as RoleClaims;
}

/** The credential lines that answer a request of Git's. */
export function gitCredentials(request: Uint8Array, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return call(env, 'POST', '/git', request);
}

async function call(
  env: NodeJS.ProcessEnv,
  method: string,
  path: string,
  body?: string | Uint8Array,
  timeout = patience,
  signal?: AbortSignal,
): Promise<string> {
  const folder = runtimeFolder(env);
  const socket = agentSocket(env, folder);
  // Nothing can be behind a name that no socket can have; Node would only say EINVAL.
  checkSocketPath(socket);
  // Who controls the folder could have put a socket of their own there, to be handed the session.
  checkRuntimeFolder(folder);
  const { status, text } = await sendAgain({ socket, method, path, body, timeout, signal });
  if (status >= 200 && status < 300) return text;
  throw Problem.fromJSON(parse(text)) ?? silent(`It answered with status ${status}.`);
}

/**
 * Sends a request, and once more if the connection was cut before an answer: that is an agent that was just ending, and
 * the next try finds its successor, or nobody. Every request may be repeated.
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

function notRunning(): Problem {
  return new Problem({
    kind: 'agent-not-running',
    what: 'You are not signed in.',
    why: 'No vouch agent is running.',
    fix: 'Run `vouch login`, then try again.',
  });
}

function noMoreFiles(why: string): Problem {
  return new Problem({
    kind: 'too-many-files',
    what: 'The vouch agent could not be asked: this process, or the system, has too many files open.',
    why,
    fix: 'Raise the limit (`ulimit -n 1024`), or close what has so many open, then try again.',
  });
}

function hung(timeout: number): Problem {
  return new Problem({
    kind: 'agent-hung',
    what: 'The vouch agent does not answer.',
    why: `It has not within ${count(timeout / 1000, 'second')}, so it hangs, or was stopped.`,
    fix: 'Run `vouch agent stop`, which ends it, then `vouch login`.',
  });
}

/** @param cut the error that ended the connection before an answer */
function silent(why: string, cut?: Error): Problem {
  return new Problem(
    {
      kind: 'agent-silent',
      what: 'The vouch agent did not answer properly.',
      why,
      fix: 'Run `vouch agent stop`, then `vouch login`.',
    },
    { cause: cut },
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
