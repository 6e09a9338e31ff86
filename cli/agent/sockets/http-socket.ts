import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isAbsolute } from 'node:path';
import type { AwsCredentials } from '../../aws/credentials.ts';
import { isRegion } from '../../aws/partitions.ts';
import { parseRoleArn, type RoleArn } from '../../aws/role-arn.ts';
import { asProblem, Problem } from '../../problem/problem.ts';
import type { Agent } from '../agent.ts';
import type { CodeCommit } from '../codecommit.ts';
import { longestRequest } from '../git-request.ts';
import { reasonOf } from '../log.ts';
import { badRequest, otherVersion } from '../problems.ts';
import type { CredentialsAnswer, Dropped, LogAnswer, NewSession, RoleClaims } from '../protocol.ts';
import { isIssuer } from '../session/vouch-api.ts';
import type { SocketBounds } from './bounds.ts';
import { statusOf } from './http-status.ts';
import type { MemoryBudget } from './memory-budget.ts';

/** The largest body that is read, in bytes, except for Git's requests. */
const longestBody = 64 * 1024;

/** The agent's presence under its name (serve.ts). */
export interface Presence {
  /**
   * Called after a logout, before its answer is sent: gives the sockets' names up, so that whoever reads the answer can start
   * a new agent at once; then the process is to end.
   */
  leave(): void;
  /** Whether who asks for the agent from now on still finds this one. */
  canServe(): boolean;
}

/**
 * The server behind agent.sock: HTTP and JSON (protocol.ts), errors as application/problem+json (RFC 9457).
 *
 * @param agent what it serves
 * @param codecommit what answers Git
 */
export function createHttpServer(
  agent: Agent,
  codecommit: CodeCommit,
  presence: Presence,
  { requestTimeout, connections, memory }: SocketBounds,
): Server {
  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: requestTimeout,
      requestTimeout,
      connectionsCheckingInterval: requestTimeout / 5,
    },
    (request, response) => {
      // One request a connection, as our client has it: what follows a body that we stopped reading is no request either.
      response.setHeader('connection', 'close');
      route({ agent, codecommit, presence, memory }, request, response).catch((error: unknown) => {
        const { method, url } = request;
        // What Git asks for is told in codecommit.ts, with the host.
        if (url !== '/git') agent.log.add('refused', `${method} ${url?.replace(/\?.*/s, '')}: ${reasonOf(error)}`);
        if (!response.headersSent) sendProblem(response, asProblem(error));
        else response.destroy();
      });
    },
  );
  server.maxConnections = connections;
  // What comes in the same breath is not even begun.
  server.maxRequestsPerSocket = 1;
  // Where nothing moves for longer than an answer may take to be made (session.ts), the client does not read it.
  server.setTimeout(requestTimeout * 6);
  return server;
}

/** What means the same in every protocol, see protocolVersion. */
const everlasting = new Set(['GET /status', 'DELETE /session']);

interface Served {
  agent: Agent;
  codecommit: CodeCommit;
  presence: Presence;
  memory: MemoryBudget;
}

async function route(
  { agent, codecommit, presence, memory }: Served,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://agent.invalid');
  if (url === null) throw badRequest('That is no address.');
  const asked = `${request.method} ${url.pathname}`;
  const { 'vouch-protocol': spoken = agent.protocol } = request.headers;
  if (spoken !== agent.protocol && !everlasting.has(asked)) throw otherVersion(agent.version);
  switch (asked) {
    case 'GET /status':
      return sendJson(response, agent.status());
    case 'PUT /session': {
      await withBody(request, memory, longestBody, (body) => agent.take(readSession(body)));
      // Asked when it has been taken: a connection may be older than the end of the agent that it leads to.
      if (!presence.canServe()) {
        agent.close();
        throw leaving();
      }
      response.writeHead(204).end();
      return;
    }
    case 'DELETE /session': {
      const dropped: Dropped = await agent.logOut();
      // Another login may have come in while the server was asked.
      if (!agent.hasSession) presence.leave();
      return sendJson(response, dropped);
    }
    case 'GET /credentials': {
      const { expiration, ...secrets } = await credentials(agent, url.searchParams);
      const answer: CredentialsAnswer = { ...secrets, expiration: new Date(expiration).toISOString() };
      return sendJson(response, answer);
    }
    case 'GET /claims': {
      const answer: RoleClaims = { claims: await agent.claims(readRole(url.searchParams).arn) };
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
  sendProblem(response, badRequest(`There is no ${asked}.`), 404);
}

/** `role=`, or `profile=` and the config file where it is; `region=` and `fresh=1` with either. */
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

/** Has something made of the body, of which no copy is left afterwards, nor in what it came in: it may hold secrets. */
async function withBody<T>(
  request: IncomingMessage,
  memory: MemoryBudget,
  longest: number,
  use: (body: Buffer) => Promise<T>,
): Promise<T> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (length + chunk.length > longest) throw badRequest(`The body is longer than ${longest} bytes.`);
      if (!memory.take(chunk.length)) throw badRequest('Too much is said at once, by too many.');
      length += chunk.length;
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks);
    for (const chunk of chunks) chunk.fill(0);
    return await use(body).finally(() => body.fill(0));
  } finally {
    memory.give(length);
  }
}

function readSession(body: Buffer): NewSession {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    // The parser's message would quote the body, which holds secrets.
    throw badRequest('The body is not JSON.');
  }
  const { issuer, accessToken, dpopKey, email, key, expiresAt } = (value ?? {}) as Partial<NewSession>;
  if (typeof issuer !== 'string' || !isIssuer(issuer)) {
    throw badRequest('`issuer` is not an https URL (or http on localhost or 127.0.0.1).');
  }
  if (typeof accessToken !== 'string' || !/^[\w.~+/=-]{1,16384}$/.test(accessToken)) {
    throw badRequest('`accessToken` is not a token.');
  }
  if (typeof dpopKey !== 'object' || dpopKey === null) throw badRequest('`dpopKey` is not a key.');
  // STS takes 2 to 64 of these as the name of a role's session.
  if (typeof email !== 'string' || !/^[\w+=,.@-]{2,64}$/.test(email)) {
    throw badRequest('`email` is not an address that AWS STS takes as a session name.');
  }
  const model = key?.model ?? null;
  if (typeof key?.name !== 'string' || (model !== null && typeof model !== 'string')) {
    throw badRequest('`key` is not {name, model}.');
  }
  if (typeof expiresAt !== 'string' || Number.isNaN(Date.parse(expiresAt))) throw badRequest('`expiresAt` is no time.');
  return { issuer, accessToken, dpopKey, email, key: { name: key.name, model }, expiresAt };
}

function sendJson(response: ServerResponse, value: unknown): void {
  send(response, 200, 'application/json', JSON.stringify(value));
}

/** The length is always said, so that who reads an answer knows one that was cut. */
function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
}

function leaving(): Problem {
  return new Problem({
    kind: 'agent-leaving',
    what: 'The vouch agent is just ending.',
    fix: 'Try again.',
  });
}

function sendProblem(response: ServerResponse, problem: Problem, status = statusOf(problem)): void {
  send(response, status, 'application/problem+json', JSON.stringify(problem));
}
