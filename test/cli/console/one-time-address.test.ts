import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { isFor, oneTimeAddress } from '../../../cli/console/one-time-address.ts';
import { stranger, superuser } from '../other-users.ts';

const secret = new URL('https://signin.aws.amazon.com/federation?Action=login&SigninToken=secret');
const get = (url: string, headers: Record<string, string> = {}) => fetch(url, { redirect: 'manual', headers });

afterEach(() => vi.restoreAllMocks());

async function address() {
  const one = await oneTimeAddress(secret);
  onTestFinished(one.close);
  return one;
}

test('leads on once, and leaves nothing in caches and referrers', async () => {
  const { url, taken } = await address();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}$/);
  const first = await get(url);
  expect([first.status, first.headers.get('location')]).toEqual([303, secret.href]);
  expect(first.headers.get('cache-control')).toBe('no-store');
  expect(first.headers.get('referrer-policy')).toBe('no-referrer');
  await taken;
  const again = await get(url);
  expect([again.status, again.headers.get('location')]).toEqual([410, null]);
});

test('what is no request of the person’s browser for it gets nothing, and does not use it up', async () => {
  const { url } = await address();
  const { origin } = new URL(url);
  for (const path of ['/', '/favicon.ico', `/${'A'.repeat(43)}`, `${new URL(url).pathname}?x`]) {
    expect((await get(origin + path)).status).toBe(404);
  }
  expect((await fetch(url, { method: 'POST', redirect: 'manual' })).status).toBe(404);
  expect((await get(url, { 'sec-purpose': 'prefetch' })).status).toBe(503);
  // DNS rebinding: fetch cannot send another Host.
  const { stdout } = await promisify(execFile)(process.execPath, [
    '-e',
    `require('node:http').get(process.argv[1], { headers: { host: 'evil.example' } }, (r) => console.log(r.statusCode))`,
    url,
  ]);
  expect(stdout).toBe('404\n');
  expect((await get(url)).status).toBe(303);
});

test('another user of the machine gets nothing, however early', async () => {
  const { url } = await address();
  const ask = `require('node:http').get(process.argv[1], (r) => console.log(r.statusCode, r.headers.location))`;
  // As root we can be the other user; otherwise we pretend that the listener is another user's.
  if (!superuser) vi.spyOn(process, 'getuid').mockReturnValue((process.getuid?.() ?? 0) + 1);
  const as = superuser ? { uid: stranger, gid: stranger } : {};
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', ask, url], { ...as, cwd: '/', env: {} });
  expect(stdout).toBe('403 undefined\n');
  vi.restoreAllMocks();
  expect((await get(url)).status).toBe(303);
});

test.each([
  ['ours', 1000, '6.1.0-31-amd64', true],
  ['another user’s', 1001, '6.1.0-31-amd64', false],
  ['nobody’s that the kernel knows', undefined, '6.1.0-31-amd64', false],
  // A daemon or a setuid program that another user has fetch the address.
  ['root’s', 0, '6.1.0-31-amd64', false],
  ['root’s in WSL, which carries the connections of Windows', 0, '5.15.167.4-microsoft-standard-WSL2', true],
  ['another user’s in WSL', 1001, '5.15.167.4-microsoft-standard-WSL2', false],
])('a connection that is %s', (_, user, kernel, expected) => {
  expect(isFor(1000, user, kernel)).toBe(expected);
});

test('root’s own browser is root’s', () => {
  expect(isFor(0, 0, '6.1.0-31-amd64')).toBe(true);
});
