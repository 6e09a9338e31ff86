import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type CallbackListener, listenForCallback } from '../../../../cli/login/callback/listener.ts';
import { freePort } from '../../../support/free-port.ts';
import { root } from '../../support.ts';

const issuer = 'https://vouch.example.com';
const expected = { state: 'the-state', issuer };

let listener: CallbackListener;
beforeEach(async () => {
  listener = await listenForCallback();
});
afterEach(() => listener.close());

const get = (query: string, init: RequestInit = {}) =>
  fetch(`${listener.redirectUri}${query}`, { redirect: 'manual', ...init });
const good = `?code=c&state=the-state&iss=${encodeURIComponent(issuer)}`;

/** Sends a request to the letter, as fetch would not. */
function raw(request: string): Promise<string> {
  const { port } = new URL(listener.redirectUri);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.end(request));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}

describe('the loopback listener', () => {
  test('is bound to 127.0.0.1 alone, at /callback', async () => {
    expect(listener.redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
    const { port } = new URL(listener.redirectUri);
    // Another address of this machine: a server that listens on all of them would answer there too.
    await expect(fetch(`http://127.0.0.2:${port}/callback`)).rejects.toThrow('fetch failed');
  });

  test('is not blocked by silent connections', async () => {
    const { port } = new URL(listener.redirectUri);
    const silent = await Promise.all(
      Array.from({ length: 300 }, () => {
        const socket = connect(Number(port), '127.0.0.1');
        return new Promise<typeof socket>((resolve) => socket.once('connect', () => resolve(socket)));
      }),
    );
    const coming = listener.callback(expected);
    void get(good).catch(() => {});
    expect((await coming).url.searchParams.get('code')).toBe('c');
    for (const socket of silent) socket.destroy();
  });

  test('drops no newcomer, and no client that is being answered, for connections that have sent half a word', async () => {
    const { port } = new URL(listener.redirectUri);
    const open = async (said = '') => {
      const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
      onTestFinished(() => void socket.destroy());
      await once(socket, 'connect');
      socket.write(said);
      return socket;
    };
    // After this answer, all that was sent before has been read.
    const seen = () => get('');
    const answerOf = async (socket: Socket) => {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      return chunk.toString('latin1').split('\r\n', 1)[0];
    };
    const request = `GET /callback${good} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
    await Promise.all(Array.from({ length: 256 }, () => open('G')));
    await seen();
    const browser = await open();
    await Promise.all(Array.from({ length: 50 }, () => open('G')));
    await seen();
    const coming = listener.callback(expected);
    browser.write(request);
    const callback = await coming;
    await Promise.all(Array.from({ length: 300 }, () => open('G')));
    await seen();
    const line = answerOf(browser);
    await callback.answer(`${issuer}/signed-in`);
    expect(await line).toBe('HTTP/1.1 303 See Other');
  });

  test('takes the callback with our state and the server’s iss, and redirects, so that the code leaves the address', async () => {
    const coming = listener.callback(expected);
    const response = get(good);
    const callback = await coming;
    expect(callback.url.searchParams.get('code')).toBe('c');
    const answered = callback.answer(`${issuer}/signed-in`);
    const { status, headers } = await response;
    await answered;
    expect(status).toBe(303);
    expect(headers.get('location')).toBe(`${issuer}/signed-in`);
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test.each([
    ['a wrong state', `?code=c&state=another&iss=${encodeURIComponent(issuer)}`],
    ['no state', `?code=c&iss=${encodeURIComponent(issuer)}`],
    ['an empty state', `?code=c&state=&iss=${encodeURIComponent(issuer)}`],
    ['two states', `?code=c&state=the-state&state=x&iss=${encodeURIComponent(issuer)}`],
    ['a wrong iss', '?code=c&state=the-state&iss=https%3A%2F%2Fevil.example'],
    ['no iss', '?code=c&state=the-state'],
    ['two issuers', `${good}&iss=https%3A%2F%2Fevil.example`],
    ['nothing', ''],
  ])('refuses %s, and goes on waiting', async (_what, query) => {
    const coming = listener.callback(expected);
    expect((await get(query)).status).toBe(400);
    void get(good).catch(() => {});
    expect((await coming).url.searchParams.get('code')).toBe('c');
  });

  test('takes one callback, and answers the same request again with the same page, also when it is released', async () => {
    const coming = listener.callback(expected);
    const answers = [get(good)];
    const { answer } = await coming;
    // Before there is an answer, and after.
    answers.push(get(good));
    await answer(`${issuer}/signed-in`);
    listener.release();
    answers.push(get(good));
    for (const { status, headers } of await Promise.all(answers)) {
      expect([status, headers.get('location')]).toEqual([303, `${issuer}/signed-in`]);
    }
    // Another code is another callback.
    expect((await get(good.replace('code=c', 'code=d'))).status).toBe(400);
    expect((await get(good.replace('the-state', 'another'))).status).toBe(400);
  });

  test.each([
    ['HEAD', { method: 'HEAD' }, 404],
    ['a prefetch', { headers: { 'sec-purpose': 'prefetch' } }, 503],
    ['a page rendered ahead', { headers: { 'sec-purpose': 'prefetch;prerender' } }, 503],
    ['a prefetch of older browsers', { headers: { purpose: 'prefetch' } }, 503],
    ['a preview', { headers: { 'x-purpose': 'preview' } }, 503],
    ['a prefetch of older Firefoxes', { headers: { 'x-moz': 'prefetch' } }, 503],
  ])('does not take %s for the person’s coming, which then is taken', async (_what, init, status) => {
    const coming = listener.callback(expected);
    expect((await get(good, init)).status).toBe(status);
    const person = get(good);
    const { answer } = await coming;
    await answer(`${issuer}/signed-in`);
    expect((await person).status).toBe(303);
  });

  test('silent connections do not keep a program from ending', async () => {
    const code = `const { listenForCallback } = await import(process.argv[1]);
      const listener = await listenForCallback();
      console.log(listener.port);
      process.stdin.once('data', () => {
        process.stdin.destroy();
        listener.release();
      });`;
    const file = join(root, 'cli/login/callback/listener.ts');
    const child = spawn(process.execPath, ['--input-type=module', '-e', code, file], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    const port = Number(await new Promise((resolve) => child.stdout.once('data', resolve)));
    const silent = connect(port, '127.0.0.1');
    let said = '';
    silent.on('data', (chunk) => (said += chunk)).on('error', () => {});
    const closed = new Promise((resolve) => silent.once('close', resolve));
    // After the answer to a later connection, the silent one has been accepted.
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
    child.stdin.end('go\n');
    await Promise.all([ended, closed]);
    // A server that waited for it would answer that it was too late (408).
    expect(said).toBe('');
  });

  test('listens on the given port; a taken port is an error with that reason', async () => {
    const port = await freePort();
    const other = await listenForCallback(port);
    onTestFinished(other.close);
    expect(other).toMatchObject({ port, redirectUri: `http://127.0.0.1:${port}/callback` });
    await expect(listenForCallback(port)).rejects.toMatchObject({
      kind: 'callback-port',
      what: expect.stringContaining(`127.0.0.1:${port}`),
      why: expect.stringContaining('Another program listens there'),
      fix: expect.stringContaining('--port'),
    });
  });

  test('before anything is expected, nothing is taken', async () => {
    expect((await get(good)).status).toBe(400);
  });

  test.each(['/favicon.ico', '/', '/callback/', '/callback2', '//callback'])('ignores %s', async (path) => {
    const { status } = await fetch(new URL(listener.redirectUri).origin + path + good);
    expect(status).toBe(404);
  });

  test('ignores other methods', async () => {
    expect((await get(good, { method: 'POST' })).status).toBe(404);
  });

  test.each(['evil.example', 'localhost', '127.0.0.1', '127.0.0.1:1'])('refuses the Host %s', async (host) => {
    const coming = listener.callback(expected);
    let taken = false;
    void coming.then(() => {
      taken = true;
    });
    const answer = await raw(`GET /callback${good} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 404/);
    expect(taken).toBe(false);
  });

  test('refuses an absolute request target for another host', async () => {
    const { host } = new URL(listener.redirectUri);
    const answer = await raw(
      `GET http://evil.example/callback${good} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 404/);
  });

  test('a huge address is refused by its size', async () => {
    const { host } = new URL(listener.redirectUri);
    const answer = await raw(`GET /callback?code=${'x'.repeat(40_000)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431/);
  });
});
