import { createServer, type Server, type Socket } from 'node:net';
import { longestRequest } from '../protocol/git-request.ts';
import type { SocketLimits } from './limits.ts';

/**
 * The server behind git.sock, in the protocol of `git credential-cache` and its daemon (Git's builtin/credential-cache--daemon.c):
 * the client sends `action=get`, `timeout=<seconds>` and Git's own lines, and closes its side. The answer is credential lines, or
 * nothing. Anything but a well-formed `get` is answered with nothing.
 *
 * @param answer returns the credential lines for Git's lines, or rejects when there are none
 */
export function createGitServer(
  answer: (request: Uint8Array) => Promise<string>,
  { connections, ...limits }: SocketLimits,
): Server {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    serve(socket, answer, limits);
  });
  server.maxConnections = connections;
  return server;
}

function serve(
  socket: Socket,
  answer: (request: Uint8Array) => Promise<string>,
  { requestTimeout, memory }: Pick<SocketLimits, 'requestTimeout' | 'memory'>,
): void {
  const chunks: Buffer[] = [];
  let length = 0;
  let asked = false;
  // For the whole request: a client that sends a byte now and then is as slow as one that sends none.
  const late = setTimeout(() => socket.destroy(), requestTimeout);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    clearTimeout(late);
    // A request that is being answered stays in memory until then, whether or not its client does.
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
      // The client has closed its side. Destroying is enough and saves a sixth of the time. In the callback itself `destroy`
      // would cause an error, so we call it a tick later.
      (lines) => socket.write(lines, () => process.nextTick(() => socket.destroy())),
      // The helper asks again over agent.sock, which can carry a reason.
      () => socket.destroy(),
    );
  });
}

/** Removes the daemon's two lines; undefined when they are missing, or the action is not `get`. */
function withoutAction(request: Buffer): Buffer | undefined {
  const start = request.subarray(0, 64).toString('latin1');
  const match = /^action=get\ntimeout=\d{1,10}\n/.exec(start);
  return match ? request.subarray(match[0].length) : undefined;
}
