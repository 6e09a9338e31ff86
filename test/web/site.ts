import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, '../..');

/** What the real server sends with every page. A page that breaks this rule breaks here. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "font-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const mediaTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** The connection is cut instead. */
  cut?: boolean;
  /** The answer waits for this. */
  after?: Promise<unknown>;
}

export interface Call {
  route: string;
  body: unknown;
  /** The page's secret that came along. */
  page: string | undefined;
}

/** The built pages on a `localhost` port of their own, with an API that says what a test wants it to say. */
export interface Site extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
  /** Every call of the API, in order. */
  readonly calls: Call[];
  /** `answer('POST /login/u1/options', {body: …})`; a list is answered one by one, its last entry for ever. */
  answer(route: string, ...answers: Answer[]): void;
  reset(): void;
  close(): Promise<void>;
}

export async function startSite(): Promise<Site> {
  const dist = await mkdtemp(join(tmpdir(), 'pages-'));
  await buildPages(dist);

  const answers = new Map<string, Answer[]>();
  const calls: Call[] = [];

  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const file = fileOf(request.method, path);
    if (file !== undefined) await sendFile(response, join(dist, file));
    else await sendAnswer(request, response, path);
  });

  async function sendAnswer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const route = `${request.method} ${path}`;
    const page = request.headers['vouch-page'] as string | undefined;
    calls.push({ route, body: await bodyOf(request), page });
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
    reset() {
      answers.clear();
      calls.length = 0;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Built as it is shipped: in a process of its own, that does not inherit the test runner's NODE_ENV. */
async function buildPages(outDir: string): Promise<void> {
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const { NODE_ENV: _, ...env } = process.env;
  await promisify(execFile)(
    process.execPath,
    [vite, 'build', '--mode', 'pages', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'error'],
    { cwd: root, env },
  );
}

/** An answer as RFC 9457 wants it. */
export function problem(name: string, status: number, words: { title?: string; detail?: string } = {}): Answer {
  return { status, body: { type: `urn:vouch:problem:${name}`, status, ...words } };
}

/** The server's page routes (docs/http-api.md). */
function fileOf(method: string | undefined, path: string): string | undefined {
  if (method !== 'GET') return undefined;
  if (path.startsWith('/assets/')) return path;
  if (/^\/login\/[^/]+$/.test(path)) return 'login/index.html';
  if (/^\/enroll(\/[^/]+)?$/.test(path)) return 'enroll/index.html';
  if (path === '/signed-in') return 'signed-in/index.html';
  return undefined;
}

async function sendFile(response: ServerResponse, path: string): Promise<void> {
  try {
    const content = await readFile(path);
    response.writeHead(200, {
      'content-type': mediaTypes[extname(path)] ?? 'application/octet-stream',
      'content-security-policy': contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
    });
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? undefined : JSON.parse(text);
}
