import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { exchange, HungUp, readAnswer } from '../../../../cli/agent/client/http-exchange.ts';

async function listen(server: Server): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'vouch-exchange-'));
  const path = join(folder, 's');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  return path;
}

const ask = (socket: string, body?: string | Uint8Array, timeout = 10_000) =>
  exchange({ socket, method: 'POST', path: '/git?a=b', body, timeout });

/** An agent that answers any request with these bytes, and hangs up. */
const saying = (bytes: string) =>
  listen(createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(bytes, 'latin1'))));

/** An agent that is one of Node's HTTP servers. */
const serving = (listener: RequestListener) => listen(createHttpServer(listener));

test('sends method, path and body, and reads the answer', async () => {
  const socket = await serving(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    response.end(`${request.method} ${request.url} ${Buffer.concat(chunks).toString('hex')} é`);
  });
  expect(await ask(socket, new Uint8Array([0, 255]))).toEqual({ status: 200, text: 'POST /git?a=b 00ff é' });
  expect(await ask(socket)).toEqual({ status: 200, text: 'POST /git?a=b  é' });
  const long = 'x'.repeat(300_000);
  expect((await ask(socket, long)).text).toHaveLength(600_000 + 'POST /git?a=b  é'.length);
});

test('reads an answer of no length to its end, as an older agent gives it', async () => {
  const socket = await serving((_request, response) => response.writeHead(401).end('lines\n'));
  expect(await ask(socket)).toEqual({ status: 401, text: 'lines\n' });
  const empty = await serving((_request, response) => response.writeHead(204).end());
  expect(await ask(empty)).toEqual({ status: 204, text: '' });
});

test.each(['', 'HTTP/1.1 200 OK\r\nContent-', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npassword='])(
  'tells an answer that was cut: %j',
  async (bytes) => {
    await expect(ask(await saying(bytes))).rejects.toBeInstanceOf(HungUp);
  },
);

test.each([
  'SSH-2.0-OpenSSH_9.6\r\n\r\n',
  'HTTP/2 200\r\n\r\n',
  'HTTP/1.1 2000 OK\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 1\r\ncontent-length: 2\r\n\r\nab',
  'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab',
  'HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na',
  'HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\na',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
])('refuses what is not the HTTP that we asked for: %j', async (bytes) => {
  await expect(ask(await saying(bytes))).rejects.toThrow('not the HTTP that we asked for');
});

test('refuses an answer without end', async () => {
  const flood = createServer((socket) => {
    const more = () => socket.write('x'.repeat(64 * 1024), (error) => error || more());
    socket.on('error', () => {}).once('data', more);
  });
  await expect(ask(await listen(flood))).rejects.toThrow('longer than 1048576 bytes');
});

test('waits no longer than its time-out, even for an answer that drips', async () => {
  const drip = createServer((socket) => {
    const timer = setInterval(() => socket.write('x'), 5);
    socket.on('error', () => {}).on('close', () => clearInterval(timer));
  });
  await expect(ask(await listen(drip), '', 100)).rejects.toThrow('It did not answer in time.');
});

test('is aborted by a signal, before it begins and while it lasts', async () => {
  const socket = await listen(createServer());
  const ask = (signal: AbortSignal) =>
    exchange({ socket, method: 'GET', path: '/', body: undefined, timeout: 30_000, signal });
  await expect(ask(AbortSignal.abort(new Error('Ctrl-C')))).rejects.toThrow('Ctrl-C');
  const later = new AbortController();
  const asking = ask(later.signal);
  later.abort(new Error('Ctrl-C'));
  await expect(asking).rejects.toThrow('Ctrl-C');
});

test('has the code that shows that nobody listens', async () => {
  await expect(ask(join(tmpdir(), 'vouch-nobody', 's'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('reads an answer however it is cut into pieces', () => {
  const bytes = Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n12345');
  for (let length = 0; length < bytes.length; length++) {
    expect(readAnswer(bytes.subarray(0, length), false)).toBeUndefined();
    expect(() => readAnswer(bytes.subarray(0, length), true)).toThrow(HungUp);
  }
  expect(readAnswer(bytes, false)).toEqual({ status: 200, text: '12345' });
});
