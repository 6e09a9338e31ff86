import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { Problem } from '../problem/problem.ts';
import { limitConnections } from './connection-limit.ts';
import type { TlsPair } from './tls.ts';

/** How long a client may take, in milliseconds: to send its headers, to send a whole request, to show any sign of life. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const IDLE_MS = 60_000;

/**
 * How long a connection may wait for its next request, in milliseconds: a proxy's longer than AWS's load balancers and nginx keep it (60 s),
 * so that none of them sends a request while we hang up.
 */
const KEEP_ALIVE_MS = { ofProxies: 65_000, ofStrangers: 10_000 };

/** The most connections at each address: the streams of all agents (sessions/session-watch.ts), and others. */
const MOST_CONNECTIONS = 25_000;

/** How often Node looks for clients that took longer. Its default of 30 s would be longer than the first limit. */
const CHECK_INTERVAL_MS = 1_000;

/** How long running requests may take to end once the server is closing, in milliseconds. */
export const CLOSE_MS = 20_000;

export interface ListenAddress {
  host: string;
  port: number;
  /** Whether the server may start without this address on a machine that lacks it (IPv6 switched off). */
  optional?: true;
}

export interface ListenOptions {
  /** With it, the server speaks TLS itself. */
  tls?: TlsPair | undefined;
  /** The ranges of the proxies that bring others' requests. */
  proxies?: readonly string[];
}

export interface Listeners {
  /** Uses another certificate for the connections that come. */
  useTls: (pair: TlsPair) => void;
  addresses: readonly { address: string; port: number }[];
  /** The addresses that this machine does not have. */
  missing: readonly string[];
  /**
   * Takes no more requests, lets running ones end, and cuts them after `CLOSE_MS`.
   *
   * @param drainMs how long it goes on taking requests before that, in milliseconds, while it tells each client to use another
   * connection for the next one
   */
  close: (drainMs?: number) => Promise<void>;
}

/**
 * Listens on all addresses, or on none.
 *
 * @throws Problem `listening-failed` when an address is taken or closed to this user; Node's error when one cannot be used
 */
export async function listen(
  addresses: readonly ListenAddress[],
  app: RequestListener,
  { tls, proxies = [] }: ListenOptions = {},
): Promise<Listeners> {
  const servers: (Server | TlsServer)[] = [];
  /** Of a connection that has not yet finished TLS's handshake, Node's HTTP server knows nothing. */
  const sockets = new Set<Socket>();
  const missing: string[] = [];
  const running = new Set<ServerResponse>();
  let closing = false;
  const listener: RequestListener = (request, response) => {
    running.add(response);
    response.once('close', () => running.delete(response));
    response.shouldKeepAlive &&= !closing;
    app(request, response);
  };
  const close = async (drainMs = 0) => {
    closing = true;
    // Tells clients not to keep the connection for another request.
    for (const response of running) response.shouldKeepAlive = false;
    if (drainMs > 0) await new Promise((resolve) => setTimeout(resolve, drainMs));
    const closed = Promise.all(servers.map(closeOne));
    const cut = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, CLOSE_MS);
    await closed;
    clearTimeout(cut);
  };
  try {
    for (const address of addresses) {
      const server = newServer(listener, tls, proxies);
      server.maxConnections = MOST_CONNECTIONS;
      server.on('connection', (socket: Socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
      server.setTimeout(IDLE_MS);
      if (await listenOn(server, address, addresses.length > 1)) servers.push(server);
      else missing.push(address.host);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    addresses: servers.map((server) => server.address() as { address: string; port: number }),
    missing,
    useTls: (pair) => {
      for (const server of servers) if (server instanceof TlsServer) server.setSecureContext(pair);
    },
    close,
  };
}

function newServer(listener: RequestListener, tls: TlsPair | undefined, proxies: readonly string[]): Server {
  const behindProxies = tls === undefined || proxies.length > 0;
  const limits = {
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: behindProxies ? KEEP_ALIVE_MS.ofProxies : KEEP_ALIVE_MS.ofStrangers,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
  };
  if (tls === undefined) return createServer(limits, listener);
  const server = createTlsServer({ ...limits, ...tls, handshakeTimeout: HEADERS_MS }, listener);
  limitConnections(server, { proxies });
  return server;
}

/**
 * @param paired whether it is one of the addresses that stand for localhost
 * @returns false when the machine has no such address and the server starts without it
 */
function listenOn(server: Server, { host, port, optional }: ListenAddress, paired: boolean): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      const hasNone = ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(error.code ?? '');
      if (hasNone && optional) resolve(false);
      else reject(explain(error, host, port, paired));
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

function explain(error: NodeJS.ErrnoException, host: string, port: number, paired: boolean): Error {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (error.code === 'EADDRINUSE') {
    return new Problem({
      kind: 'listening-failed',
      what: `Another program is already listening on ${address}.`,
      ...(paired && {
        why: 'For localhost, browsers go to 127.0.0.1 and [::1]: whoever holds one of them would pass for this server.',
      }),
      fix: `See which program it is with \`ss -ltnpe 'sport = :${port}'\` (macOS: \`lsof -nP -iTCP:${port} -sTCP:LISTEN\`) and end it, or use another port.`,
      cause: error,
    });
  }
  if (error.code === 'EACCES') {
    return new Problem({
      kind: 'listening-failed',
      what: `This user may not listen on ${address}.`,
      why: 'Ports below 1024 are for root.',
      fix: 'Use a higher port behind a reverse proxy, or give the service CAP_NET_BIND_SERVICE (AmbientCapabilities= and CapabilityBoundingSet= of systemd).',
      cause: error,
    });
  }
  return error;
}
