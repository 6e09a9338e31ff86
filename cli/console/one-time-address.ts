import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { release } from 'node:os';
import { refuse, safeHeaders, sameSecret } from '../network/loopback-answers.ts';
import { userOfPeer } from './peer.ts';

/** An address of this machine that leads on to a secret one, once. */
export interface OneTimeAddress {
  url: string;
  /** Resolves when this user's browser has been sent on. */
  taken: Promise<void>;
  close: () => void;
}

/**
 * Serves a redirection to a secret address on 127.0.0.1, to one request of this user's own programs.
 *
 * Why not simply open the secret address: the browser would be started with it as an argument, and every user of the machine can read the
 * arguments of all programs (`ps`). They can read the address of this listener as well, and connect to it. So its path alone would protect
 * nothing: each connection's user is looked up in the kernel's list, and others get nothing, however early they are.
 *
 * @param location the secret address
 */
export async function oneTimeAddress(location: URL): Promise<OneTimeAddress> {
  const path = `/${randomBytes(32).toString('base64url')}`;
  const { promise: taken, resolve } = Promise.withResolvers<void>();
  let given = false;
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 5_000, connectionsCheckingInterval: 1_000 },
    (request, response) => {
      const { port } = server.address() as AddressInfo;
      if (!isOurs(request)) return refuse(response, 403, 'This is for another user.');
      // The check of the Host header prevents DNS rebinding.
      if (
        request.method !== 'GET' ||
        request.headers.host !== `127.0.0.1:${port}` ||
        !sameSecret(request.url ?? '', path)
      ) {
        return refuse(response, 404, 'There is nothing here.');
      }
      // The browser asks again when the person opens the page (Fetch standard, Sec-Purpose).
      if (/prefetch|prerender/i.test(String(request.headers['sec-purpose'] ?? ''))) {
        return refuse(response, 503, 'This page is for the person.');
      }
      if (given) return refuse(response, 410, 'This address has been used. Run `vouch console` again.');
      given = true;
      response.once('close', resolve);
      response.writeHead(303, { ...safeHeaders, location: location.href }).end();
    },
  );
  server.maxConnections = 64;
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen({ host: '127.0.0.1', port: 0 }, done);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${path}`,
    taken,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function isOurs({ socket }: IncomingMessage): boolean {
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket;
  const user = userOfPeer({ address: remoteAddress, port: remotePort }, { address: localAddress, port: localPort });
  return isFor(process.getuid?.(), user, release());
}

/**
 * Whether a connection is the person's. Not if it is root's: root could read our memory anyway, but others may get a daemon or a setuid
 * program to fetch an address. In WSL, though, a program of root's carries the connections of Windows' browser.
 *
 * @param me our user ID
 * @param user the connection's, if it is known
 * @param kernel the kernel's release, as in uname(2)
 */
export function isFor(me: number | undefined, user: number | undefined, kernel: string): boolean {
  if (user === undefined) return false;
  return user === me || (user === 0 && /microsoft/i.test(kernel));
}
