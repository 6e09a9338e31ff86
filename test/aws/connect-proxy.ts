import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { gitHost, signInHost } from './hosts.ts';

/**
 * Leads Git to the local CodeCommit, and others to the local sign-in, under their real names: a CONNECT proxy that allows only these hosts
 * and port 443. RFC 9110, section 9.3.6.
 */
export function createConnectProxy(codeCommitPort: () => number, signInPort?: () => number): Server {
  const server = createServer((_request, response) => {
    response.writeHead(403, { connection: 'close' }).end('This proxy serves only CONNECT.\n');
  });
  server.on('connect', (request, client, head) => {
    client.on('error', () => client.destroy());
    const [, host = '', port] = /^([^:]+):(\d+)$/.exec(request.url ?? '') ?? [];
    const inner = gitHost(host) ? codeCommitPort() : signInHost(host) === undefined ? undefined : signInPort?.();
    if (inner === undefined || port !== '443') {
      client.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const upstream = connect(inner, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  return server;
}
