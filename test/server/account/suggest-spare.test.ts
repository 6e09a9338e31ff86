import { afterAll, beforeAll, expect, test } from 'vitest';
import { SoftKey } from '../soft-key.ts';
import { enrolPerson, jsonOf, moveClock, SignIn, signIn, startServer, type TestServer } from '../support.ts';
import { AccountPage } from './account-page.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const DAY = 24 * 3600_000;

/** Signs in: what the page and the terminal learn. */
async function advised(key: SoftKey): Promise<[unknown, unknown]> {
  const page = await SignIn.open(server.origin);
  const { redirectTo, suggestSpare } = await jsonOf(await page.touch(key));
  const code = new URL(String(redirectTo)).searchParams.get('code') ?? '';
  const { access_token } = await jsonOf<{ access_token: string }>(await page.client.redeem(code));
  const session = await jsonOf(await page.client.api('GET', '/api/session', access_token));
  return [suggestSpare, session.suggestSpare];
}

test('a sign-in advises somebody with one key to add a spare, at most once a week', async () => {
  const { key } = await enrolPerson(server);
  expect(await advised(key)).toEqual([true, true]);
  expect(await advised(key)).toEqual([false, false]);
  moveClock(server, 7 * DAY - 60_000);
  expect(await advised(key)).toEqual([false, false]);
  moveClock(server, 7 * DAY + 60_000);
  expect(await advised(key)).toEqual([true, true]);
  expect(await advised(key)).toEqual([false, false]);
});

test('nobody with two keys, but again somebody who has removed one of them', async () => {
  const { key } = await enrolPerson(server);
  const account = await AccountPage.signIn(server.origin, key);
  const spare = new SoftKey(server.origin);
  await jsonOf(await account.addKey(spare));
  expect(await advised(key)).toEqual([false, false]);
  await jsonOf(await account.send('DELETE', `keys/${spare.id}`));
  expect(await advised(key)).toEqual([true, true]);
});

test('of two sign-ins at the same moment, one', async () => {
  const { key } = await enrolPerson(server, { counts: false });
  const both = await Promise.all([advised(key), advised(key)]);
  expect(both.map(([page]) => page).sort()).toEqual([false, true]);
});

test('a sign-in that is refused advises nobody, and costs no advice', async () => {
  const { key } = await enrolPerson(server);
  const page = await SignIn.open(server.origin);
  const response = await page.touch(key, { counter: 0 });
  expect(response.status).toBe(403);
  expect(await advised(key)).toEqual([true, true]);
  await signIn(server.origin, key);
});
