import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where the browser brings the code back to (RFC 8252, section 7.3). */
export interface CallbackListener {
  redirectUri: string;
  /**
   * Waits for the one callback of this login.
   *
   * @param expected what it must carry: our `state`, and the server's `iss` (RFC 9207)
   * @returns its URL, and `answer`, which sends the browser on to another page
   */
  callback: (expected: { state: string; issuer: string }) => Promise<Callback>;
  close: () => void;
}

export interface Callback {
  url: URL;
  /** Redirects, so that the code leaves the address bar (and a reload can't send it again); resolves when it is sent. */
  answer: (location: string) => Promise<void>;
}

/**
 * Listens on 127.0.0.1 and a free port. Whatever is not this login's callback (a favicon, a second tab, another web site's
 * request, a wrong `state`) is refused without an effect on the login.
 */
export async function listenForCallback(): Promise<CallbackListener> {
  let waiting: { expected: { state: string; issuer: string }; resolve: (callback: Callback) => void } | undefined;
  let port = 0;

  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 5_000, connectionsCheckingInterval: 1_000 },
    (request, response) => {
      const url = callbackUrl(request, port);
      if (url === undefined) {
        refuse(response, 404, 'There is nothing here.');
        return;
      }
      if (waiting === undefined || !fits(url, waiting.expected)) {
        refuse(response, 400, 'This is not the sign-in that your terminal is waiting for.');
        return;
      }
      const { resolve } = waiting;
      waiting = undefined;
      resolve({ url, answer: (location) => redirect(response, location) });
    },
  );
  // More than a browser opens; and who sits on one silently loses it within seconds.
  server.maxConnections = 256;

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, resolve);
  });
  port = (server.address() as AddressInfo).port;

  return {
    redirectUri: `http://127.0.0.1:${port}/callback`,
    callback: (expected) =>
      new Promise((resolve) => {
        waiting = { expected, resolve };
      }),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The callback's URL, or undefined for any other request. The Host header is checked against DNS rebinding. */
function callbackUrl(request: IncomingMessage, port: number): URL | undefined {
  if (request.method !== 'GET' || request.headers.host !== `127.0.0.1:${port}`) return undefined;
  const url = URL.parse(request.url ?? '', `http://127.0.0.1:${port}`);
  return url?.pathname === '/callback' && url.host === `127.0.0.1:${port}` ? url : undefined;
}

function fits(url: URL, expected: { state: string; issuer: string }): boolean {
  const states = url.searchParams.getAll('state');
  const issuers = url.searchParams.getAll('iss');
  return (
    states.length === 1 &&
    issuers.length === 1 &&
    sameSecret(states[0] ?? '', expected.state) &&
    issuers[0] === expected.issuer
  );
}

function sameSecret(a: string, b: string): boolean {
  const digest = (value: string) => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(a), digest(b));
}

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  connection: 'close',
};

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end(`${sentence}\n`);
}

function redirect(response: ServerResponse, location: string): Promise<void> {
  return new Promise((resolve) => {
    // A browser that has gone away, or goes now, must not keep the login waiting.
    if (response.destroyed || response.closed) {
      resolve();
      return;
    }
    response.once('close', resolve);
    response.writeHead(303, { ...HEADERS, location }).end();
  });
}
