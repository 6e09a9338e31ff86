import { afterAll, beforeAll, expect, test } from 'vitest';
import { Browser } from '../browser.ts';
import { startUnderTest } from '../pair.ts';
import { SoftKey } from '../soft-key.ts';
import { inviteCode, jsonOf, moveClock, newEmail, type TestServer } from '../support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startUnderTest();
});
afterAll(() => server.close());

interface Started {
  url: string;
  ticket: string;
  poll: string;
}

async function start(more: Record<string, unknown> = {}): Promise<Started> {
  const invitation = await inviteCode(server, newEmail());
  return jsonOf<Started>(await new Browser(server.origin).post('/enroll/start', { invitation, ...more }));
}

const open = (path: string) => new Browser(server.origin).get(path);

test('the address of an enrolment is short, in capitals or not, and leads to its page', async () => {
  const { url, ticket } = await start();
  const path = url.slice(server.origin.length);
  expect(url.startsWith(server.origin)).toBe(true);
  expect(path).toMatch(/^\/e\/[0-9abcdefghjkmnpqrstvwxyz]{5}-[0-9abcdefghjkmnpqrstvwxyz]{5}$/);
  for (const typed of [path, path.toUpperCase(), path.replace('-', '')]) {
    const opened = await open(typed);
    expect([opened.status, opened.headers.get('location')], typed).toEqual([303, `/enroll/${ticket}`]);
  }
});

test('a browser that only looks at it has not opened the enrolment', async () => {
  const { url, poll } = await start();
  await open(url.slice(server.origin.length));
  const state = () => new Browser(server.origin).post('/enroll/status', { poll });
  expect(await jsonOf(await state())).toMatchObject({ state: 'waiting' });
});

test('it ends with the enrolment, after 15 minutes', async () => {
  const { url } = await start();
  const path = url.slice(server.origin.length);
  moveClock(server, 15 * 60_000 - 5000);
  expect((await open(path)).status).toBe(303);
  moveClock(server, 15 * 60_000);
  const late = await open(path);
  expect(late.status).toBe(404);
  expect(await late.text()).toContain('Compare it with your terminal, letter by letter.');
});

test('it still leads to a page that says what became of the enrolment', async () => {
  const { url, ticket, poll } = await start();
  const browser = new Browser(server.origin);
  const { page, words } = await jsonOf<{ page: string; words: string }>(await browser.post(`/enroll/${ticket}/open`));
  await browser.post('/enroll/approve', { poll, words });
  const headers = { 'vouch-page': page };
  const options = await jsonOf(await browser.post(`/enroll/${ticket}/options`, {}, headers));
  const answer = new SoftKey(server.origin).create(options as never);
  await jsonOf(await browser.post(`/enroll/${ticket}/verify`, answer, headers));
  expect((await open(url.slice(server.origin.length))).status).toBe(303);
});

test('neither ticket nor address of an enrolment is in the database', async () => {
  const { url, ticket } = await start();
  const stored = JSON.stringify(await server.context.store.selectFrom('enrolments').selectAll().execute());
  expect(stored).not.toContain(ticket);
  expect(stored.toLowerCase()).not.toContain(url.slice(-11));
});
