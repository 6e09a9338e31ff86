import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CallbackListener, listenForCallback } from '../../../cli/login/callback-listener.ts';

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

/** A request to the letter, which fetch would not send. */
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
    // Another address of this same machine: who listens on all of them answers there too.
    await expect(fetch(`http://127.0.0.2:${port}/callback`)).rejects.toThrow('fetch failed');
  });

  test('is not blocked by connections that say nothing', async () => {
    const { port } = new URL(listener.redirectUri);
    const silent = await Promise.all(
      Array.from({ length: 50 }, () => {
        const socket = connect(Number(port), '127.0.0.1');
        return new Promise<typeof socket>((resolve) => socket.once('connect', () => resolve(socket)));
      }),
    );
    const coming = listener.callback(expected);
    void get(good).catch(() => {});
    expect((await coming).url.searchParams.get('code')).toBe('c');
    for (const socket of silent) socket.destroy();
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

  test('answers one callback: a second tab gets nothing', async () => {
    const coming = listener.callback(expected);
    const first = get(good);
    const { answer } = await coming;
    expect((await get(good)).status).toBe(400);
    await Promise.all([answer(`${issuer}/signed-in`), first]);
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
