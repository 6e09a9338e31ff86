import type { IncomingMessage, ServerResponse } from 'node:http';
import { isAbsolute } from 'node:path';
import type { AwsCredentials } from '../../aws/credentials.ts';
import { isRegion } from '../../aws/partitions.ts';
import { parseRoleArn, type RoleArn } from '../../aws/role-arn.ts';
import type { Agent } from '../agent.ts';
import { badRequest, leaving, otherVersion } from '../problems.ts';
import { longestRequest } from '../protocol/git-request.ts';
import type { AgentStatus, CredentialsAnswer, Dropped, LogAnswer, RoleClaims } from '../protocol/messages.ts';
import type { CodeCommit } from '../services/codecommit.ts';
import { askAccount } from './account-routes.ts';
import { send, sendJson, sendProblem } from './http-answer.ts';
import { askLends, type Lender } from './lend-routes.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { readSession } from './read-session.ts';
import { withBody } from './request-body.ts';

/** The longest body, in bytes, except for Git's requests. */
const longestBody = 64 * 1024;

/** The agent's presence under its name (serve.ts). */
export interface Presence {
  /**
   * Called after a logout, before its answer is sent: gives up the sockets' names, so that the client can start a new agent at
   * once. The process ends after it.
   */
  leave(): void;
  /** Whether a new client would still reach this agent. */
  canServe(): boolean;
}

/** The requests that mean the same in every protocol, see protocolVersion. */
const everlasting = new Set(['GET /status', 'DELETE /session']);

/** What a request can reach. */
export interface Served {
  agent: Agent;
  codecommit: CodeCommit;
  lends: Lender;
  presence: Presence;
  memory: MemoryBudget;
}

/**
 * Answers a request on agent.sock.
 *
 * @throws Problem, which the caller sends
 */
export async function route(
  { agent, codecommit, lends, presence, memory }: Served,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://agent.invalid');
  if (url === null) throw badRequest('The address is malformed.');
  const asked = `${request.method} ${url.pathname}`;
  const { 'vouch-protocol': spoken = agent.protocol } = request.headers;
  if (spoken !== agent.protocol && !everlasting.has(asked)) throw otherVersion(agent.version);
  switch (asked) {
    case 'GET /status':
      return sendJson(response, { ...agent.status(), lends: lends.list() } satisfies AgentStatus);
    case 'PUT /session': {
      await withBody(request, memory, longestBody, (body) => agent.take(readSession(body)));
      // Checked last: the agent may have begun to end since this connection opened.
      if (!presence.canServe()) {
        agent.close();
        throw leaving();
      }
      response.writeHead(204).end();
      return;
    }
    case 'DELETE /session': {
      const dropped: Dropped = await agent.logOut();
      // Another login may have handed over a session while the server was asked.
      if (!agent.hasSession) presence.leave();
      return sendJson(response, dropped);
    }
    case 'GET /credentials': {
      const { expiration, ...secrets } = await credentials(agent, url.searchParams);
      const answer: CredentialsAnswer = { ...secrets, expiration: new Date(expiration).toISOString() };
      return sendJson(response, answer);
    }
    case 'GET /claims': {
      const answer: RoleClaims = await agent.claims(readRole(url.searchParams).arn);
      return sendJson(response, answer);
    }
    case 'GET /logs': {
      const after = url.searchParams.get('after') ?? '0';
      if (!/^\d{1,15}$/.test(after)) throw badRequest('`after` is not the number of an entry.');
      const answer: LogAnswer = { pid: process.pid, entries: agent.log.after(Number(after)) };
      return sendJson(response, answer);
    }
    case 'POST /git': {
      const lines = await withBody(request, memory, longestRequest, (body) => codecommit.explain(body));
      send(response, 200, 'text/plain; charset=utf-8', lines);
      return;
    }
  }
  if (await askLends(lends, asked, { request, response, query: url.searchParams, memory })) return;
  const answer = await askAccount(agent, asked, { request, query: url.searchParams, memory });
  if (answer === null) response.writeHead(204).end();
  else if (answer !== undefined) sendJson(response, answer);
  // Nothing asks for it but a newer version.
  else sendProblem(response, otherVersion(agent.version), 404);
}

/** AWS credentials for `role=`, or for `profile=` in the file `config=`. Either may have `region=` and `fresh=1`. */
function credentials(agent: Agent, query: URLSearchParams): Promise<AwsCredentials> {
  const options = { region: query.get('region') ?? undefined, fresh: query.get('fresh') === '1' };
  if (options.region !== undefined && !isRegion(options.region)) {
    throw badRequest('`region` is not the name of a region.');
  }
  const profile = query.get('profile');
  if (profile === null) return agent.credentials({ role: readRole(query) }, options);
  if (profile === '') throw badRequest('`profile` is empty.');
  const config = query.get('config') ?? undefined;
  if (config !== undefined && (!isAbsolute(config) || config.includes('\0'))) {
    throw badRequest('`config` is not an absolute path.');
  }
  return agent.profileCredentials(profile, config, options);
}

function readRole(query: URLSearchParams): RoleArn {
  const role = parseRoleArn(query.get('role') ?? '');
  if (role === undefined) throw badRequest('`role` is not the ARN of a role.');
  return role;
}
