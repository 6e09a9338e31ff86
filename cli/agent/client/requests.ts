import { awsConfigFile } from '../../paths.ts';
import type {
  AgentStatus,
  CredentialsAnswer,
  Dropped,
  LogAnswer,
  NewSession,
  RoleClaims,
} from '../protocol/messages.ts';
import { type AskOptions, askAgent } from './ask-agent.ts';

/** The requests to the agent, which sockets/routes.ts answers. Each throws as `askAgent`. */

/** How long an answer that needs neither the server nor AWS may take, in milliseconds. */
const quickly = 5000;

/** The agent's version, process, session and credentials, without secrets. */
export async function agentStatus(
  env: NodeJS.ProcessEnv,
  { timeout = quickly, signal }: Omit<AskOptions, 'body'> = {},
): Promise<AgentStatus> {
  return JSON.parse(await askAgent(env, 'GET /status', { timeout, signal })) as AgentStatus;
}

/** The entries of the agent's log after one; after 0, all of them. No secrets. */
export async function agentLogs(after: number, env: NodeJS.ProcessEnv): Promise<LogAnswer> {
  return JSON.parse(await askAgent(env, `GET /logs?after=${after}`, { timeout: quickly })) as LogAnswer;
}

/** Hands a new session over; it replaces any earlier one. */
export async function putSession(session: NewSession, env: NodeJS.ProcessEnv): Promise<void> {
  await askAgent(env, 'PUT /session', { body: JSON.stringify(session) });
}

/** Ends the session, here and at the server, and the agent as well. */
export async function dropSession(env: NodeJS.ProcessEnv): Promise<Dropped> {
  return JSON.parse(await askAgent(env, 'DELETE /session')) as Dropped;
}

/**
 * AWS credentials for a role.
 *
 * @param role the role's ARN
 * @param region the region whose STS is asked; by default credentials from any region will do
 */
export async function awsCredentials(
  role: string,
  region: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<CredentialsAnswer> {
  const query = new URLSearchParams(region === undefined ? { role } : { role, region });
  return JSON.parse(await askAgent(env, `GET /credentials?${query}`)) as CredentialsAnswer;
}

export interface ProfileCredentialsOptions {
  /** The region whose STS is asked; by default credentials from any region will do. */
  region?: string;
  /** Asks AWS even if the agent's cache has credentials. */
  fresh?: boolean;
}

/**
 * AWS credentials for a Vouch profile, which may be a chained one.
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
  return JSON.parse(await askAgent(env, `GET /credentials?${query}`)) as CredentialsAnswer;
}

/**
 * The claims of a fresh ID token for a role, never the token itself.
 *
 * @param role the role's ARN
 */
export async function roleClaims(role: string, env: NodeJS.ProcessEnv): Promise<RoleClaims> {
  return JSON.parse(await askAgent(env, `GET /claims?${new URLSearchParams({ role })}`)) as RoleClaims;
}

/** The lines that answer Git's credential request. */
export function gitCredentials(request: Uint8Array, env: NodeJS.ProcessEnv): Promise<string> {
  return askAgent(env, 'POST /git', { body: request });
}
