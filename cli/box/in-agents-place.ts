import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { Problem } from '../problem/problem.ts';
import { checkSocketPath } from '../runtime-folder/check-socket.ts';

/** More than Git asks, and more than it is answered, in bytes. */
const most = 128 * 1024;

/**
 * Listens in the agent's place. What Git asks there (through our helper, when it needs Node, and through `git-remote-codecommit`) is
 * answered by the lent socket. Every other request is refused with the problem `lent`, so that `vouch` says why.
 *
 * @param path of the socket
 * @param lend the lent socket, and what the program has got
 * @throws Problem `socket-path`
 */
export async function listenInAgentsPlace(
  path: string,
  lend: { gitSocket: string; why: string },
): Promise<{ close(): void }> {
  checkSocketPath(path);
  const problem = new Problem({
    kind: 'lent',
    what: 'This program has only what `vouch lend` has given it.',
    why: lend.why,
    fix: 'Run this where you have signed in, outside of that program.',
  });
  const server = createServer({ requestTimeout: 20_000, headersTimeout: 5000 }, (request, response) => {
    const isGits = request.method === 'POST' && request.url === '/git';
    void (isGits ? askLent(request, lend.gitSocket) : Promise.resolve('')).then((answer) => {
      if (/^(password|credential)=./m.test(answer)) send(response, 200, 'text/plain', answer);
      else send(response, 403, 'application/problem+json', JSON.stringify(problem));
    });
  });
  // Nothing that a client does here may keep us busy, or keep us from ending.
  server.maxConnections = 50;
  server.maxRequestsPerSocket = 1;
  server.unref();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  return {
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(text), connection: 'close' };
  response.writeHead(status, headers).end(text);
}

/** Asks the lent socket what a request's body asks. @returns its answer, empty if there is none */
async function askLent(request: IncomingMessage, gitSocket: string): Promise<string> {
  try {
    const question = await readUpTo(most, request);
    const socket = connect({ path: gitSocket, allowHalfOpen: true });
    socket.end(Buffer.concat([Buffer.from('action=get\ntimeout=900\n'), question]));
    return (await readUpTo(most, socket)).toString('utf8');
  } catch {
    return '';
  }
}

async function readUpTo(limit: number, stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > limit) throw new Error('too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
