import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Keeps a server from having more connections than it can take without keeping newcomers out: who comes last may be the browser,
 * which has not said anything yet. The oldest one that is not being answered is dropped for it, whatever it has said so far.
 *
 * @param most how many there may be
 */
export function dropOldest(server: Server, most: number): void {
  const open = new Set<Socket>();
  const asked = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      asked.delete(socket);
    });
    if (open.size <= most) return;
    const [oldest] = open;
    ([...open].find((one) => !asked.has(one)) ?? oldest)?.destroy();
  });
  // Each of them is closed with its answer.
  server.on('request', ({ socket }) => asked.add(socket));
}
