import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { startProgram } from '../program.ts';
import { localSettings } from '../settings.ts';

/** Sends the beginning of a request, or all of it, and hangs up: at once or at the first byte of the answer. */
function hangUp(port: number, text: string, how: { reset: boolean; waits: boolean }): Promise<void> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    const end = () => (how.reset ? socket.resetAndDestroy() : socket.destroy());
    socket.on('error', () => {});
    socket.once('close', () => done());
    socket.write(text, () => {
      if (!how.waits) end();
    });
    socket.once('data', end);
  });
}

test('a client that hangs up half way causes no error in the log, and neither does anything that a stranger sends', async () => {
  const settings = await localSettings();
  const origin = settings.VOUCH_ISSUER;
  const port = Number(new URL(origin).port);
  const server = await startProgram(settings);

  const assets = readdirSync(resolve(import.meta.dirname, '../../../dist/web/assets'));
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nAccept: text/html\r\n\r\n`;
  const post = (path: string, type: string, body: string, length = body.length) =>
    `POST ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n${body}`;
  const form = 'application/x-www-form-urlencoded';
  const half = ['/enroll/start', '/enroll/x/verify', '/login/x/verify'].map((path) =>
    post(path, 'application/json', '{', 50),
  );
  half.push(...['/request', '/token', '/token/revocation'].map((path) => post(path, form, 'client_id=', 50)));
  const whole = ['/login/x', '/enroll', '/healthz', '/readyz', '/jwks', '/auth?client_id=vouch-cli'].map(get);
  whole.push(...assets.map((name) => get(`/assets/${name}`)));
  whole.push(post('/request', form, 'client_id=vouch-cli&response_type=code'));
  whole.push(post('/enroll/start', 'application/json', '{"invitation":"none"}'));
  for (const reset of [false, true]) {
    for (const text of half) await hangUp(port, text, { reset, waits: false });
    for (const text of whole) {
      await hangUp(port, text, { reset, waits: false });
      await hangUp(port, text, { reset, waits: true });
    }
  }
  const odd = [
    '/login/%E0%A4%A',
    '/assets/%00',
    '/assets/..%2f..%2fpackage.json',
    '/auth?client_id[]=x',
    '/enroll/%FF',
  ];
  for (const path of odd) expect((await fetch(origin + path, { redirect: 'manual' })).status).toBeLessThan(500);
  for (const body of ['{', '[]', 'null', '"x"', '\u0000']) {
    const answer = await fetch(`${origin}/enroll/start`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(400);
  }

  await server.end('SIGTERM');
  const lines = server.output.split('\n').filter((line) => line !== '');
  // Every line is an entry of the log: a stack trace on standard error would not parse.
  const entries = lines.map((line) => JSON.parse(line) as { level: number; msg: string; status?: unknown });
  expect(entries.filter(({ level }) => level >= 40)).toEqual([]);
  expect(entries.some(({ status }) => status === 'aborted')).toBe(true);
});
