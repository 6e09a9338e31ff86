import { awsConfigFile } from '../../paths.ts';
import type { AgentStatus, CredentialsAnswer, Dropped, LogAnswer, NewSession, RoleClaims } from '../protocol.ts';
import { type CallOptions, call } from './call.ts';

/** What the agent can be asked; its end of these calls is agent/sockets/http-socket.ts. Each throws a Problem as `call` does. */

/** How long an answer that needs neither the server nor AWS may take, in milliseconds. */
const quickly = 5000;

/** What the agent is and has; no secrets. */
export async function agentStatus(
  env: NodeJS.ProcessEnv,
  { timeout = quickly, signal }: Omit<CallOptions, 'body'> = {},
): Promise<AgentStatus> {
  return JSON.parse(await call(env, 'GET /status', { timeout, signal })) as AgentStatus;
}

/** What the agent has logged since an entry, or since its start; no secrets. */
export async function agentLogs(after: number, env: NodeJS.ProcessEnv): Promise<LogAnswer> {
  return JSON.parse(await call(env, `GET /logs?after=${after}`, { timeout: quickly })) as LogAnswer;
}

/** Hands a new session over; it replaces any earlier one. */
export async function putSession(session: NewSession, env: NodeJS.ProcessEnv): Promise<void> {
  await call(env, 'PUT /session', { body: JSON.stringify(session) });
}

/** Ends the session, here and at the server, and the agent with it. */
export async function dropSession(env: NodeJS.ProcessEnv): Promise<Dropped> {
  return JSON.parse(await call(env, 'DELETE /session')) as Dropped;
}

/**
 * AWS credentials for a role.
 *
 * @param role the role's ARN
 * @param region whose STS is asked; without one, what is in the agent's cache for any region will do
 */
export async function awsCredentials(
  role: string,
  region: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<CredentialsAnswer> {
  const query = new URLSearchParams(region === undefined ? { role } : { role, region });
  return JSON.parse(await call(env, `GET /credentials?${query}`)) as CredentialsAnswer;
}

export interface ProfileCredentialsOptions {
  /** Whose STS is asked; without one, what is in the agent's cache for any region will do. */
  region?: string;
  /** Whether AWS is to be asked even though there is something in the cache. */
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
  env: NodeJS.ProcessEnv,
): Promise<CredentialsAnswer> {
  const query = new URLSearchParams({ profile: name, config: awsConfigFile(env) });
  if (region !== undefined) query.set('region', region);
  if (fresh) query.set('fresh', '1');
  return JSON.parse(await call(env, `GET /credentials?${query}`)) as CredentialsAnswer;
}

/**
 * What the server says in an ID token for a role: the claims of a fresh one, never the token itself.
 *
 * @param role the role's ARN
 */
export async function roleClaims(role: string, env: NodeJS.ProcessEnv): Promise<RoleClaims> {
  return JSON.parse(await call(env, `GET /claims?${new URLSearchParams({ role })}`)) as RoleClaims;
}

/** The credential lines that answer a request of Git's. */
export function gitCredentials(request: Uint8Array, env: NodeJS.ProcessEnv): Promise<string> {
  return call(env, 'POST /git', { body: request });
}
