import { createServer, type Server } from 'node:http';
import { asProblem } from '../../problem/problem.ts';
import type { Agent } from '../agent.ts';
import { reasonOf } from '../log.ts';
import type { CodeCommit } from '../services/codecommit.ts';
import { sendProblem } from './http-answer.ts';
import type { Lender } from './lend-routes.ts';
import type { SocketLimits } from './limits.ts';
import { type Presence, route } from './routes.ts';

/**
 * The server behind agent.sock: HTTP and JSON (protocol/messages.ts), errors as application/problem+json (RFC 9457).
 *
 * @param agent what it serves
 * @param codecommit what answers Git
 * @param lends what lends
 */
export function createHttpServer(
  agent: Agent,
  codecommit: CodeCommit,
  lends: Lender,
  presence: Presence,
  { requestTimeout, connections, memory }: SocketLimits,
): Server {
  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: requestTimeout,
      requestTimeout,
      connectionsCheckingInterval: requestTimeout / 5,
    },
    (request, response) => {
      // One request per connection, as our client sends: so an unread rest of a body cannot be taken for a second request.
      response.setHeader('connection', 'close');
      route({ agent, codecommit, lends, presence, memory }, request, response).catch((error: unknown) => {
        const { method, url } = request;
        // Refusals of Git's requests are logged in services/codecommit.ts, with the host.
        if (url !== '/git') agent.log.add('refused', `${method} ${url?.replace(/\?.*/s, '')}: ${reasonOf(error)}`);
        if (!response.headersSent) sendProblem(response, asProblem(error));
        else response.destroy();
      });
    },
  );
  server.maxConnections = connections;
  // A second request on the connection never reaches our code.
  server.maxRequestsPerSocket = 1;
  // If nothing moves for longer than an answer takes (session/timeouts.ts), the client is not reading it.
  server.setTimeout(requestTimeout * 6);
  return server;
}
