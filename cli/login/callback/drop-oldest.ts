import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Limits a server's connections by dropping the oldest unanswered one, because the newest may be the browser, which has not sent
 * anything yet.
 *
 * @param most how many connections there may be
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
  // Each connection is closed after its answer.
  server.on('request', ({ socket }) => asked.add(socket));
}
