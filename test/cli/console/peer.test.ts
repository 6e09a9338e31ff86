import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { tellsUsers, userOfPeer } from '../../../cli/console/peer.ts';

const line = (local: string, remote: string, state: string, uid: number) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 4242 1 0000000000000000 20 4 30 10 -1\n`;
const header = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const [theirs, ours] = [
  { address: '127.0.0.1', port: 40000 },
  { address: '127.0.0.1', port: 8080 },
];

test('the user of a connection is the one of its other end', () => {
  const list =
    header +
    // Our own end, a socket that listens, an old connection, one to another port, and another machine's.
    line('0100007F:1F90', '0100007F:9C40', '01', 1) +
    line('0100007F:9C40', '00000000:0000', '0A', 2) +
    line('0100007F:9C40', '0100007F:1F90', '06', 3) +
    line('0100007F:9C40', '0100007F:1F91', '01', 4) +
    line('0200007F:9C40', '0100007F:1F90', '01', 5);
  expect(userOfPeer(theirs, ours, list)).toBeUndefined();
  expect(userOfPeer(theirs, ours, list + line('0100007F:9C40', '0100007F:1F90', '01', 1000))).toBe(1000);
});

test('a socket of IPv6 is found as well', () => {
  const mapped = (end: string) => `0000000000000000FFFF0000${end}`;
  const list = header + line(mapped('0100007F:9C40'), mapped('0100007F:1F90'), '01', 1000);
  expect(userOfPeer(theirs, ours, list)).toBe(1000);
});

test('a real connection of ours is ours', async () => {
  expect(tellsUsers()).toBe(true);
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket;
  const user = userOfPeer({ address: remoteAddress, port: remotePort }, { address: localAddress, port: localPort });
  expect(user).toBe(process.getuid?.());
  client.destroy();
  socket.destroy();
});
