import { existsSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { listen } from '../../../server/network/listen.ts';
import { freePort } from '../../support/free-port.ts';
import { startProgram, vouchServer } from '../program.ts';
import { localSettings, newDatabase } from '../settings.ts';
import { enrolPerson, signIn, startServer } from '../support.ts';

const portOf = ({ VOUCH_ISSUER }: { VOUCH_ISSUER: string }) => Number(new URL(VOUCH_ISSUER).port);

/** The status that /healthz answers at one address; undefined if nothing listens there. */
function healthAt(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path: '/healthz', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') resolve(undefined);
      else reject(error);
    });
    asked.end();
  });
}

/** Connects and sends some text. `ended` is all that came back until the end. */
async function send(port: number, text: string): Promise<{ socket: Socket; ended: Promise<string> }> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let answer = '';
  const ended = new Promise<string>((resolve) => {
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.once('close', () => resolve(answer));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => socket.write(text, () => resolve()));
  return { socket, ended };
}

const HALF_A_REQUEST =
  'POST /enroll/start HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{';

describe('http://localhost', () => {
  test('is answered at both addresses that a browser tries', async () => {
    const settings = await localSettings();
    const port = portOf(settings);
    const server = await startProgram(settings);
    expect(await healthAt('127.0.0.1', port)).toBe(200);
    expect(await healthAt('::1', port)).toBe(200);
    await server.end('SIGTERM');
    expect(await healthAt('127.0.0.1', port)).toBeUndefined();
    expect(await healthAt('::1', port)).toBeUndefined();
  });

  test.each(['127.0.0.1', '::1'])(
    'is not served if another program has %s, and the error says what to do',
    async (host) => {
      const settings = await localSettings();
      const port = portOf(settings);
      const other = createServer((_request, response) => response.writeHead(204).end());
      await new Promise<void>((resolve) => other.listen({ host, port }, resolve));
      onTestFinished(() => void other.close());
      const { code, stderr } = await vouchServer(['serve'], settings);
      expect(code).toBe(1);
      const address = host === '::1' ? '[::1]' : host;
      expect(stderr).toContain(`Another program is already listening on ${address}:${port}.`);
      expect(stderr).toContain(`ss -ltnpe 'sport = :${port}'`);
    },
  );

  test('is served without an optional address that the machine lacks, but not without a required one', async () => {
    // RFC 3849: an address for documentation, which no machine has.
    const absent = { host: '2001:db8::1', port: await freePort() };
    const port = await freePort();
    const listeners = await listen(
      [
        { host: '127.0.0.1', port },
        { ...absent, optional: true },
      ],
      () => {},
    );
    expect(listeners.addresses.map(({ address }) => address)).toEqual(['127.0.0.1']);
    expect(listeners.missing).toEqual(['2001:db8::1']);
    await listeners.close();
    await expect(listen([{ host: '127.0.0.1', port }, absent], () => {})).rejects.toThrow(/EADDRNOTAVAIL|EAFNOSUPPORT/);
    expect(await healthAt('127.0.0.1', port)).toBeUndefined();
  });
});

describe('SIGTERM', () => {
  test('ends the server at once when nothing is under way, with its database in one file', async () => {
    const database = newDatabase();
    const server = await startProgram(await localSettings(database));
    expect(existsSync(`${database}-wal`)).toBe(true);
    await server.end('SIGTERM');
    expect(server.status).toBe(0);
    expect([`${database}-wal`, `${database}-shm`].filter(existsSync)).toEqual([]);
  });

  test('a second time ends it at once, even with half a request open', async () => {
    const settings = await localSettings();
    const port = portOf(settings);
    const server = await startProgram(settings);
    const { ended } = await send(port, HALF_A_REQUEST);
    // When a later request is answered, this one has been accepted.
    expect(await healthAt('127.0.0.1', port)).toBe(200);
    const first = server.end('SIGTERM');
    // When it accepts no more requests, it has received the first signal.
    await expect.poll(() => healthAt('127.0.0.1', port), { timeout: 30_000 }).toBeUndefined();
    await server.end('SIGTERM');
    await Promise.all([first, ended]);
    expect(server.status).toBe(1);
  });
});

describe('closing', () => {
  test('waits 20 seconds for half a request, then cuts all connections and closes the database', async () => {
    const server = await startServer();
    const port = Number(new URL(server.origin).port);
    const clients = [await send(port, HALF_A_REQUEST), await send(port, 'GET / HT'), await send(port, '')];
    // When a later request is answered, these have been accepted.
    expect(await healthAt('127.0.0.1', port)).toBe(200);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    let isClosed = false;
    const closed = server.close().then(() => {
      isClosed = true;
    });
    await vi.advanceTimersByTimeAsync(19_999);
    expect(await healthAt('127.0.0.1', port)).toBeUndefined();
    expect(isClosed).toBe(false);
    expect(clients[0]?.socket.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await closed;
    await Promise.all(clients.map(({ ended }) => ended));
    expect(existsSync(server.databaseFile)).toBe(false);
  });

  test('first says that it is not ready, and takes requests until load balancers have seen it', async () => {
    const server = await startServer({ VOUCH_DRAIN_SECONDS: '7' });
    const port = Number(new URL(server.origin).port);
    const { key } = await enrolPerson(server);
    const { client, access_token } = await signIn(server.origin, key);
    const stream = await client.api('GET', '/api/session/events', access_token);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const closed = server.close();
    // An agent goes to another instance at once.
    expect(await stream.text()).toBe('{"event":"alive"}\n');
    const ready = await fetch(`${server.origin}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([503, { status: 'draining', parts: { database: 'ok' } }]);
    expect(await healthAt('127.0.0.1', port)).toBe(200);
    const discovery = await fetch(`${server.origin}/.well-known/openid-configuration`);
    expect([discovery.status, discovery.headers.get('connection')]).toEqual([200, 'close']);
    await vi.advanceTimersByTimeAsync(6_999);
    expect(await healthAt('127.0.0.1', port)).toBe(200);
    await vi.advanceTimersByTimeAsync(1);
    await closed;
    expect(await healthAt('127.0.0.1', port)).toBeUndefined();
  });

  test('does not wait for a database that is away', async () => {
    const server = await startServer();
    const { store } = server.context;
    const destroy = store.destroy.bind(store);
    onTestFinished(destroy);
    store.destroy = () => new Promise(() => {});
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    let isClosed = false;
    const closed = server.close().then(() => {
      isClosed = true;
    });
    while (!isClosed) await vi.advanceTimersByTimeAsync(1_000);
    await closed;
  });

  test('lets a request under way end, and tells its client that the connection closes', async () => {
    const server = await startServer();
    const port = Number(new URL(server.origin).port);
    const body = JSON.stringify({ poll: 'nobody’s' });
    const head = `POST /enroll/status HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
    const { socket, ended } = await send(port, head + body.slice(0, 5));
    expect(await healthAt('127.0.0.1', port)).toBe(200);
    const closed = server.close();
    socket.write(body.slice(5));
    const answer = await ended;
    expect(answer).toMatch(/^HTTP\/1.1 404 /);
    expect(answer).toMatch(/^connection: close/im);
    await closed;
  });
});

test('a client that takes longer than 10 seconds for the headers is cut off soon, not after half a minute', async () => {
  const server = await startServer();
  onTestFinished(server.close);
  const port = Number(new URL(server.origin).port);
  const { ended } = await send(port, 'GET /healthz HTTP/1.1\r\nHost: loc');
  const { ended: silent } = await send(port, '');
  const waited = new AbortController();
  const late = sleep(25_000, 'late', { signal: waited.signal }).catch(() => 'cut');
  expect(await Promise.race([Promise.all([ended, silent]), late])).not.toBe('late');
  waited.abort();
  expect(await ended).toMatch(/^HTTP\/1.1 408 /);
});
