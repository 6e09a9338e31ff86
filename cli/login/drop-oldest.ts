import type { Server, Socket } from 'node:net';

/**
 * Keeps a server from having more connections than it can take without keeping newcomers out: who comes last may be the browser. The
 * oldest one that has said nothing is dropped for it; where all have, the oldest.
 *
 * @param most how many there may be
 */
export function dropOldest(server: Server, most: number): void {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (open.size <= most) return;
    const [oldest] = open;
    const silent = [...open].find((one) => one !== socket && one.bytesRead === 0);
    (silent ?? oldest)?.destroy();
  });
}
