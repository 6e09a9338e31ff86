import { createServer, type Server } from 'node:net';
import { claim, listenPrivately } from '../../../cli/runtime-folder/owned-socket.ts';

/**
 * A process that claims a name several times at once, on demand (owned-socket.test.ts). Each claim has its own server, which
 * sends its number to every client. A line `<path> <how many>` on standard input starts a round. Its result is one line of JSON:
 * the numbers that got the name. The next line ends the round: the servers close, and leave the name behind.
 */
let servers: Server[] = [];
let count = 0;

async function attempt(path: string): Promise<string | undefined> {
  const number = `${process.pid}.${count++}`;
  const server = createServer((socket) => socket.on('error', () => {}).end(number));
  servers.push(server);
  const socket = await listenPrivately(server, path.slice(0, path.lastIndexOf('/')));
  return (await claim(socket, path)) && number;
}

process.stdin.setEncoding('utf8').on('data', async (line: string) => {
  if (servers.length > 0) {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    servers = [];
    process.stdout.write('[]\n');
    return;
  }
  const [path = '', many] = line.trim().split(' ');
  const got = await Promise.all(Array.from({ length: Number(many) }, () => attempt(path)));
  process.stdout.write(`${JSON.stringify(got.filter(Boolean))}\n`);
});
