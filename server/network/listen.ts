import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { Problem } from '../problem/problem.ts';

/** How long a client may take, in milliseconds: for its headers, for a whole request, for the next sign of life. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const SILENCE_MS = 60_000;

/** How often Node looks who has taken longer: its own default, 30 s, would be the shortest time of all. */
const LOOK_EVERY_MS = 1_000;

/** How long requests under way have to end when the server does, in milliseconds. */
export const LEAVE_MS = 20_000;

export interface ListenAddress {
  host: string;
  port: number;
  /** Whether the server may do without it where the machine has no such address at all (IPv6 switched off). */
  optional?: true;
}

export interface Listeners {
  addresses: readonly { address: string; port: number }[];
  /** The addresses that this machine does not have. */
  missing: readonly string[];
  /** Takes no more requests, lets those under way end, and after `LEAVE_MS` cuts them. */
  close: () => Promise<void>;
}

/**
 * Listens on all addresses, or on none.
 *
 * @throws Problem `listening-failed` when one is taken or this user may not have it, Error when it cannot be used
 */
export async function listen(addresses: readonly ListenAddress[], app: RequestListener): Promise<Listeners> {
  const servers: Server[] = [];
  const missing: string[] = [];
  const underWay = new Set<ServerResponse>();
  let leaving = false;
  const listener: RequestListener = (request, response) => {
    underWay.add(response);
    response.once('close', () => underWay.delete(response));
    response.shouldKeepAlive &&= !leaving;
    app(request, response);
  };
  const close = async () => {
    leaving = true;
    // Whoever would keep the connection for a next request is told that there is none.
    for (const response of underWay) response.shouldKeepAlive = false;
    const closed = Promise.all(servers.map(closeOne));
    const cut = setTimeout(() => {
      for (const server of servers) server.closeAllConnections();
    }, LEAVE_MS);
    await closed;
    clearTimeout(cut);
  };
  try {
    for (const address of addresses) {
      const server = createServer(
        { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: LOOK_EVERY_MS },
        listener,
      );
      server.setTimeout(SILENCE_MS);
      if (await listenOn(server, address)) servers.push(server);
      else missing.push(address.host);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { addresses: servers.map((server) => server.address() as { address: string; port: number }), missing, close };
}

/** False when the machine has no such address and the server may do without it. */
function listenOn(server: Server, { host, port, optional }: ListenAddress): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      const hasNone = ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(error.code ?? '');
      if (hasNone && optional) resolve(false);
      else reject(explain(error, host, port));
    };
    server.once('error', failed);
    server.listen({ host, port }, () => {
      server.off('error', failed);
      resolve(true);
    });
  });
}

function closeOne(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (error.code === 'EADDRINUSE') {
    return new Problem({
      kind: 'listening-failed',
      what: `Another program listens on ${address} already.`,
      why: 'Browsers go to 127.0.0.1 and [::1] when they are sent to localhost: whoever holds one of them would pass for this server.',
      fix: `See who it is with \`ss -ltnpe 'sport = :${port}'\` (macOS: \`lsof -nP -iTCP:${port} -sTCP:LISTEN\`) and end it, or take another port.`,
      cause: error,
    });
  }
  if (error.code === 'EACCES') {
    return new Problem({
      kind: 'listening-failed',
      what: `This user may not listen on ${address}.`,
      why: 'Ports below 1024 are for root.',
      fix: 'Take a port above, behind a reverse proxy.',
      cause: error,
    });
  }
  return error;
}
