import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import express, { type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express';
import type { Config } from '../../server/config/config.ts';
import type { AboutServer } from '../../server/http/page-html.ts';
import { notFoundPage, pages, wrongAddressPage } from '../../server/http/pages.ts';
import { securityHeaders } from '../../server/http/security-headers.ts';

const root = resolve(import.meta.dirname, '../..');

/** An address of each page. */
export const addresses: Record<string, string> = {
  home: '/',
  login: '/login/u1',
  enroll: '/enroll',
  account: '/account',
  'signed-in': '/signed-in',
  'wrong-address': '/s/00000-00000',
  'not-found': '/nothing/here',
};

export interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Cut the connection instead. */
  cut?: boolean;
  /** Answer only after this. */
  after?: Promise<unknown>;
}

export interface Call {
  route: string;
  body: unknown;
  /** The page's secret, from the `vouch-page` header. */
  page: string | undefined;
}

/** The built pages on their own `localhost` port, sent as the real server sends them, with an API that a test scripts. */
export interface Site extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
  /** Every API call, in order. */
  readonly calls: Call[];
  /** `answer('POST /login/u1/options', {body: …})`. Of several answers each serves one call, and the last all later ones. */
  answer(route: string, ...answers: Answer[]): void;
  /** Has the pages say something else about their server. */
  introduce(said: AboutServer): void;
  /** Forgets the answers and the calls, and what the pages were told to say. */
  reset(): void;
  close(): Promise<void>;
}

/** What the pages of a site say about their server. */
export const about: AboutServer = {
  issuer: 'https://vouch.example.com',
  teamName: 'Acme Engineering',
  contact: { text: 'it-help@example.com', link: 'mailto:it-help@example.com' },
};

export async function startSite(): Promise<Site> {
  const dist = await mkdtemp(join(tmpdir(), 'pages-'));
  await buildPages(dist);

  const answers = new Map<string, Answer[]>();
  const calls: Call[] = [];

  const app = express();
  let shown: RequestHandler;
  const introduce = (said: AboutServer) => {
    shown = Router().use(pages(dist, said)).get('/s/:code', wrongAddressPage(dist, said)).use(notFoundPage(dist, said));
  };
  introduce(about);
  app.use(
    securityHeaders({ local: true } as Config),
    (request: Request, response: Response, next: NextFunction) => shown(request, response, next),
    sendAnswer,
  );
  const server = createServer(app);

  async function sendAnswer(request: Request, response: Response): Promise<void> {
    const route = `${request.method} ${request.path}`;
    calls.push({ route, body: await bodyOf(request), page: request.get('vouch-page') });
    const waiting = answers.get(route);
    const answer = waiting && waiting.length > 1 ? waiting.shift() : waiting?.[0];
    await answer?.after;
    if (answer?.cut) {
      request.socket.destroy();
      return;
    }
    const { status = answer ? 200 : 404, body, headers } = answer ?? {};
    const type = status >= 400 ? 'application/problem+json' : 'application/json';
    response.writeHead(status, { 'content-type': type, ...headers });
    response.end(typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body));
  }

  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await rm(dist, { recursive: true, force: true });
  };
  return {
    origin: `http://localhost:${port}`,
    port,
    calls,
    answer: (route, ...list) => void answers.set(route, list),
    introduce,
    reset() {
      answers.clear();
      introduce(about);
      calls.length = 0;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Builds what we ship, in its own process, because Vite obeys NODE_ENV, which the test runner sets. */
async function buildPages(outDir: string): Promise<void> {
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const { NODE_ENV: _, ...env } = process.env;
  await promisify(execFile)(
    process.execPath,
    [vite, 'build', '--mode', 'pages', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'error'],
    { cwd: root, env },
  );
}

/** A refusal as in RFC 9457. */
export function problem(name: string, status: number, words: { title?: string; detail?: string } = {}): Answer {
  return { status, body: { type: `urn:vouch:problem:${name}`, status, ...words } };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? undefined : JSON.parse(text);
}
