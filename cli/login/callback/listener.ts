import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refuse, safeHeaders, sameSecret } from '../../network/loopback-answers.ts';
import { Problem } from '../../problem/problem.ts';
import { dropOldest } from './drop-oldest.ts';

/** The server to which the browser brings the code (RFC 8252, section 7.3). */
export interface CallbackListener {
  redirectUri: string;
  /** The port of 127.0.0.1. */
  port: number;
  /**
   * Waits for the one callback of this login.
   *
   * @param expected what it must carry: our `state`, and the server's `iss` (RFC 9207)
   * @returns its URL, and `answer`, which sends the browser on to another page
   */
  callback: (expected: Expected) => Promise<Callback>;
  /** Keeps answering repeated callbacks, without keeping the program alive. */
  release: () => void;
  close: () => void;
}

interface Expected {
  state: string;
  issuer: string;
}

export interface Callback {
  url: URL;
  /**
   * Redirects, so that the code leaves the address bar (and a reload cannot send it again). A later request for the same address
   * gets the same answer. Resolves when it is sent.
   */
  answer: (location: string) => Promise<void>;
}

/** How long a released listener still answers, in milliseconds, if the program runs that long. */
const lingerTime = 10_000;

/**
 * Listens on 127.0.0.1. Requests other than this login's callback (a favicon, a request of another web site, a wrong `state`, a
 * page that the browser fetches ahead) are refused, and the login goes on. The callback is taken once. The same address again (a
 * reload, a program that opens links to check them) gets the same page.
 *
 * @param port the port; 0 for a free one
 * @throws Problem `callback-port` when we cannot listen on it
 */
export async function listenForCallback(port = 0): Promise<CallbackListener> {
  let waiting: { expected: Expected; resolve: (callback: Callback) => void } | undefined;
  let taken: { search: string; page: Promise<string> } | undefined;
  let bound = 0;

  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 5_000, connectionsCheckingInterval: 1_000 },
    (request, response) => {
      const url = callbackUrl(request, bound);
      if (url === undefined) {
        refuse(response, 404, 'There is nothing here.');
      } else if (isAhead(request)) {
        // The browser asks again when the person opens the page.
        refuse(response, 503, 'This page is for the person.');
      } else if (waiting !== undefined && fits(url, waiting.expected)) {
        const { promise: page, resolve: answered } = Promise.withResolvers<string>();
        const { resolve } = waiting;
        waiting = undefined;
        taken = { search: url.search, page };
        resolve({
          url,
          answer: (location) => {
            answered(location);
            return redirect(response, location);
          },
        });
      } else if (taken?.search === url.search) {
        void taken.page.then((location) => redirect(response, location));
      } else {
        refuse(response, 400, 'This is not the sign-in that your terminal is waiting for.');
      }
    },
  );
  // More than a browser opens. A connection that stays silent is closed within seconds.
  dropOldest(server, 256);
  // The server itself keeps the program running as long as a callback may come.
  server.on('connection', (socket) => socket.unref());

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(notListening(port, error)));
    server.listen({ host: '127.0.0.1', port }, resolve);
  });
  bound = (server.address() as AddressInfo).port;

  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return {
    redirectUri: `http://127.0.0.1:${bound}/callback`,
    port: bound,
    callback: (expected) =>
      new Promise((resolve) => {
        waiting = { expected, resolve };
      }),
    release: () => {
      server.unref();
      setTimeout(close, lingerTime).unref();
    },
    close,
  };
}

function notListening(port: number, cause: NodeJS.ErrnoException): Problem {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'Another program listens there: perhaps another sign-in.',
    EACCES: 'The system does not let you: ports below 1024 are usually for root alone.',
  };
  return new Problem(
    {
      kind: 'callback-port',
      what: `The browser cannot come back to 127.0.0.1${port === 0 ? '' : `:${port}`}: Vouch cannot listen there.`,
      why: reasons[cause.code ?? ''] ?? cause.message,
      fix:
        port === 0
          ? 'Try again.'
          : 'Choose another port, with `vouch login --port` or `vouch config set callbackPort`; without either any free one will do.',
    },
    { cause },
  );
}

/**
 * Whether a browser announces that it fetches the page ahead, before the person opens it (Sec-Purpose: prefetch, of the Fetch
 * standard, and its predecessors).
 */
function isAhead({ headers }: IncomingMessage): boolean {
  const purposes = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].map((name) => headers[name] ?? '');
  return /prefetch|prerender|preview/i.test(purposes.join());
}

/** The callback's URL; undefined for any other request. The check of the Host header prevents DNS rebinding. */
function callbackUrl(request: IncomingMessage, port: number): URL | undefined {
  if (request.method !== 'GET' || request.headers.host !== `127.0.0.1:${port}`) return undefined;
  const url = URL.parse(request.url ?? '', `http://127.0.0.1:${port}`);
  return url?.pathname === '/callback' && url.host === `127.0.0.1:${port}` ? url : undefined;
}

function fits(url: URL, expected: Expected): boolean {
  const states = url.searchParams.getAll('state');
  const issuers = url.searchParams.getAll('iss');
  return (
    states.length === 1 &&
    issuers.length === 1 &&
    sameSecret(states[0] ?? '', expected.state) &&
    issuers[0] === expected.issuer
  );
}

function redirect(response: ServerResponse, location: string): Promise<void> {
  return new Promise((resolve) => {
    // The login must not wait for a browser that has gone, or goes now.
    if (response.destroyed || response.closed) {
      resolve();
      return;
    }
    response.once('close', resolve);
    response.writeHead(303, { ...safeHeaders, location }).end();
  });
}
