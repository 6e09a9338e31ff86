import type { Server, Socket } from 'node:net';
import { clientOf } from './client-of.ts';
import { inRanges, readAddress } from './ip-address.ts';

/** The most connections of one client: a team behind one address has one for each agent, and some for browsers. */
const PER_CLIENT = 2_000;

interface Options {
  perClient?: number;
  /** The ranges of proxies, each of which brings the connections of many clients. */
  proxies?: readonly string[];
}

/** Ends a client's connections beyond a number at once: each costs memory, also before its first request. */
export function limitConnections(server: Server, { perClient = PER_CLIENT, proxies = [] }: Options = {}): void {
  const isProxy = inRanges(proxies);
  const counts = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = readAddress((socket.remoteAddress ?? '').replace(/%.*$/, ''));
    if (address !== undefined && isProxy(address)) return;
    const client = address === undefined ? 'gone' : clientOf(address);
    const count = counts.get(client) ?? 0;
    if (count >= perClient) {
      socket.destroy();
      return;
    }
    counts.set(client, count + 1);
    socket.once('close', () => {
      const left = (counts.get(client) ?? 0) - 1;
      if (left > 0) counts.set(client, left);
      else counts.delete(client);
    });
  });
}
