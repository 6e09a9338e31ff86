import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { dropOldest } from '../../../../cli/login/callback/drop-oldest.ts';
import { listenForCallback } from '../../../../cli/login/callback/listener.ts';

vi.mock('../../../../cli/login/callback/drop-oldest.ts', { spy: true });

test('of one connection too many the oldest is dropped, and no other one', async () => {
  // Without a time limit for silent connections, so that none is closed for that reason.
  const server = createServer({ headersTimeout: 0, requestTimeout: 0 }, (_request, response) => response.end());
  dropOldest(server, 2);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const open = async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
    await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
    return socket;
  };
  const [oldest, second] = [await open(), await open()];
  const dropped = once(oldest, 'close');
  const last = await open();
  await dropped;
  for (const socket of [second, last]) {
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1\.1 200 /);
  }
});

test('a login bears 256', async () => {
  const listener = await listenForCallback();
  onTestFinished(listener.close);
  expect(vi.mocked(dropOldest).mock.lastCall?.[1]).toBe(256);
});
