import { createServer, type Server, type Socket } from 'node:net';
import { longestRequest } from '../git-request.ts';
import type { SocketBounds } from './bounds.ts';

/**
 * The server behind git.sock, which speaks what `git credential-cache` speaks with its daemon (Git's
 * builtin/credential-cache--daemon.c): the client sends `action=get`, `timeout=<seconds>` and Git's own lines, and closes
 * its side; the answer is credential lines, or nothing. Whatever is not a well-formed `get` is answered with nothing.
 *
 * @param answer gives the credential lines for Git's lines, or rejects when there are none to give
 */
export function createGitServer(
  answer: (request: Uint8Array) => Promise<string>,
  { connections, ...bounds }: SocketBounds,
): Server {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    serve(socket, answer, bounds);
  });
  server.maxConnections = connections;
  return server;
}

function serve(
  socket: Socket,
  answer: (request: Uint8Array) => Promise<string>,
  { requestTimeout, memory }: Pick<SocketBounds, 'requestTimeout' | 'memory'>,
): void {
  const chunks: Buffer[] = [];
  let length = 0;
  let asked = false;
  // From the first byte to the last: a client that sends a byte now and then is as slow as one that sends none.
  const late = setTimeout(() => socket.destroy(), requestTimeout);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    clearTimeout(late);
    // A request that is being answered is there for as long as that takes, whether or not its client is.
    if (!asked) memory.give(length);
  });
  socket.on('data', (chunk: Buffer) => {
    if (length + chunk.length > longestRequest || !memory.take(chunk.length)) {
      socket.destroy();
      return;
    }
    length += chunk.length;
    chunks.push(chunk);
  });
  socket.on('end', () => {
    clearTimeout(late);
    const request = withoutAction(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    if (request === undefined) {
      socket.destroy();
      return;
    }
    asked = true;
    const answering = answer(request).finally(() => memory.give(length));
    answering.then(
      // The client has closed its side, so that our side's orderly end would be for nobody, and takes a sixth of the time
      // that a connection costs. Not within the callback: there it would make an error that nobody wants.
      (lines) => socket.write(lines, () => process.nextTick(() => socket.destroy())),
      // The helper asks again over the other socket, where a reason can be given.
      () => socket.destroy(),
    );
  });
}

/** Takes the daemon's two lines off; undefined when they are not there or ask for something else than `get`. */
function withoutAction(request: Buffer): Buffer | undefined {
  const start = request.subarray(0, 64).toString('latin1');
  const match = /^action=get\ntimeout=\d{1,10}\n/.exec(start);
  return match ? request.subarray(match[0].length) : undefined;
}
