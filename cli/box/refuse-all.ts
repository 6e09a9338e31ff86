import { createServer } from 'node:http';
import { Problem } from '../problem/problem.ts';
import { checkSocketPath } from '../runtime-folder/check-socket.ts';

/**
 * Listens in the agent's place, and refuses every request with the problem `lent`, so that `vouch` says why it cannot do what it was
 * asked.
 *
 * @param path of the socket
 * @param why what the program has got
 * @throws Problem `socket-path`
 */
export async function refuseAll(path: string, why: string): Promise<{ close(): void }> {
  checkSocketPath(path);
  const text = JSON.stringify(
    new Problem({
      kind: 'lent',
      what: 'This program has only what `vouch lend` has given it.',
      why,
      fix: 'Run this where you have signed in, outside of that program.',
    }),
  );
  const server = createServer((_request, response) => {
    const headers = { 'content-type': 'application/problem+json', 'content-length': Buffer.byteLength(text) };
    response.writeHead(403, { ...headers, connection: 'close' }).end(text);
  });
  // Nothing that a client does here may keep us busy, or keep us from ending.
  server.maxConnections = 20;
  server.setTimeout(5000);
  server.unref();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  return {
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
