import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { limitConnections } from '../../../server/network/connection-limit.ts';

test('one client’s connections beyond the number are ended, others’ and proxies’ not, and a place that becomes free counts', async () => {
  const server = createServer((socket) => socket.on('error', () => {}));
  limitConnections(server, { perClient: 3, proxies: ['127.0.1.0/24'] });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const open: Socket[] = [];
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  /** Whether the server keeps a connection. It answers nothing, so its own list tells. */
  const dial = async (from: string): Promise<{ socket: Socket; kept: boolean }> => {
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    socket.on('error', () => {});
    open.push(socket);
    return { socket, kept: !(await accepted).destroyed };
  };
  const first = await dial('127.0.0.1');
  expect([first.kept, (await dial('127.0.0.1')).kept, (await dial('127.0.0.1')).kept]).toEqual([true, true, true]);
  expect((await dial('127.0.0.1')).kept).toBe(false);
  expect((await dial('127.0.0.2')).kept).toBe(true);
  for (let many = 0; many < 5; many += 1) expect((await dial('127.0.1.1')).kept).toBe(true);
  first.socket.destroy();
  await expect.poll(async () => (await dial('127.0.0.1')).kept).toBe(true);
  expect((await dial('127.0.0.1')).kept).toBe(false);
});
