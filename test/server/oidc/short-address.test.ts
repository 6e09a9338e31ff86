import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Browser } from '../browser.ts';
import { CliClient } from '../cli-client.ts';
import { startPair } from '../pair.ts';
import type { SoftKey } from '../soft-key.ts';
import { enrolPerson, jsonOf, moveClock, SignIn, startServer, type TestServer } from '../support.ts';

let server: TestServer;
let key: SoftKey;
beforeAll(async () => {
  server = await startServer();
  ({ key } = await enrolPerson(server));
});
afterAll(() => server.close());

interface Pushed {
  address: string;
  words: string;
  request_uri: string;
}

/** Pushes a request. @returns the client, and the short address's path */
async function push(changes: Record<string, string> = {}) {
  const client = await CliClient.create(server.origin);
  const pushed = (await (await client.push(changes)).json()) as Pushed;
  return { client, ...pushed, path: pushed.address && new URL(pushed.address).pathname };
}

const open = (path: string, browser = new Browser(server.origin)) => browser.get(path);

/** The same address with another character at a place. */
function mistyped(path: string): string {
  const last = path.at(-1) === '0' ? '1' : '0';
  return path.slice(0, -1) + last;
}

async function expectNothing(response: Response): Promise<void> {
  expect([response.status, response.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('location')).toBeNull();
  expect(await response.text()).toContain('Compare it with your terminal, letter by letter.');
}

describe('the short address of a sign-in', () => {
  test('fits a line with room, has no characters that look alike, and leads to the page of its request', async () => {
    const { client, address, path, words } = await push();
    expect(address.startsWith(`${server.origin}/s/`)).toBe(true);
    expect(path).toMatch(/^\/s\/[0-9abcdefghjkmnpqrstvwxyz]{5}-[0-9abcdefghjkmnpqrstvwxyz]{5}$/);
    expect(`https://vouch.example.com${path}`.length).toBeLessThanOrEqual(40);
    const page = await SignIn.openPath(new Browser(server.origin), client, path);
    expect(await jsonOf(await page.browser.get(`/login/${page.uid}/details`))).toMatchObject({ words });
    await jsonOf(await client.redeem(await page.code(key)));
  });

  test('may be typed in capitals, without the hyphen, with O for 0 and I or L for 1', async () => {
    const { path } = await push();
    const { headers } = await open(path);
    const typed = path.slice(3).toUpperCase().replaceAll('-', '').replaceAll('0', 'O').replaceAll('1', 'L');
    for (const other of [`/s/${typed}`, `/S/${typed}`, `/s/${encodeURIComponent(` ${typed} `)}`]) {
      expect((await open(other)).headers.get('location'), other).toBe(headers.get('location'));
    }
    expect(headers.get('location')).toMatch(/^\/login\/[\w-]{43}$/);
  });

  test('is another one for each request, and its page has a name of its own that does not contain it', async () => {
    const [one, two] = [await push(), await push()];
    expect(one.path).not.toBe(two.path);
    const names = await Promise.all([one, two].map(async ({ path }) => (await open(path)).headers.get('location')));
    expect(new Set(names).size).toBe(2);
    const stored = JSON.stringify(await server.context.store.selectFrom('oidc_payloads').selectAll().execute());
    expect(stored.toLowerCase().replaceAll('-', '')).not.toContain(one.path.slice(3).replace('-', ''));
    expect(stored).not.toContain(String(names[0]).slice('/login/'.length));
  });

  test('can be opened for the 10 minutes of its request, long after the request itself, and not afterwards', async () => {
    const { client, path, request_uri } = await push();
    moveClock(server, 9 * 60_000);
    const page = await SignIn.openPath(new Browser(server.origin), client, path);
    await page.code(key);
    const late = await push();
    moveClock(server, 19 * 60_000 + 2000);
    await expectNothing(await open(late.path));
    const query = new URLSearchParams({ client_id: 'vouch-cli', request_uri });
    expect((await open(`/auth?${query}`)).headers.get('location')).toBe('/login/over');
  });

  test('leads nowhere once it has led to a code, or was cancelled', async () => {
    for (const step of ['code', 'cancel']) {
      const { client, path } = await push();
      const page = await SignIn.openPath(new Browser(server.origin), client, path);
      if (step === 'code') await page.code(key);
      else await jsonOf(await page.post('cancel'));
      await expectNothing(await open(path));
    }
  });

  test('and the long address of its request lead to one code together', async () => {
    const { client, path, request_uri } = await push();
    const query = new URLSearchParams({ client_id: 'vouch-cli', request_uri });
    const long = await SignIn.openPath(new Browser(server.origin), client, `/auth?${query}`);
    const short = await SignIn.openPath(new Browser(server.origin), client, path);
    await long.code(key);
    expect((await short.touch(key)).status).toBe(410);
  });

  test.each(['/s/x', '/s/00000-00000', '/s/%00', '/s/%f0%9f%92%a9', `/s/${'0'.repeat(10_000)}`, '/e/00000-00000'])(
    'that is wrong gets a page that says what to do: %s',
    async (path) => {
      await expectNothing(await open(path));
    },
  );

  test('that is mistyped, or of the other sort, leads to no page of somebody else', async () => {
    const { path } = await push();
    await expectNothing(await open(mistyped(path)));
    await expectNothing(await open(path.replace('/s/', '/e/')));
  });

  test('is missing where the request leads to no page', async () => {
    const { address, request_uri, words } = await push({ prompt: 'none' });
    expect({ address, request_uri, words }).toEqual({
      address: undefined,
      request_uri: expect.any(String),
      words: expect.any(String),
    });
  });

  test('is known to every instance', async () => {
    const pair = await startPair();
    try {
      // Each request goes to the other instance than the one before.
      for (let round = 0; round < 4; round += 1) {
        const page = await SignIn.open(pair.origin);
        expect((await page.options()).challenge).toMatch(/^[\w-]{43}$/);
        if (round % 2 === 0) await page.browser.get('/');
      }
    } finally {
      await pair.close();
    }
  });

  test('is tried 300 times a minute by one client at most', async () => {
    const browser = new Browser(server.origin);
    const { path } = await push();
    const statuses = new Map<number, number>();
    for (let round = 0; round < 31; round += 1) {
      const answers = await Promise.all(Array.from({ length: 10 }, () => open('/s/00000-00000', browser)));
      for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect(statuses.get(404)).toBeLessThanOrEqual(315);
    expect(statuses.get(404)).toBeGreaterThanOrEqual(300);
    if (server.context.config.database.kind === 'sqlite') {
      expect(statuses.get(429)).toBe(10);
      expect((await open(path, browser)).status).toBe(429);
    }
    // Others do not notice.
    expect((await open(path)).status).toBe(303);
  });
});
