import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SoftKey } from '../soft-key.ts';
import { enrolPerson, expectProblem, jsonOf, moveClock, signIn, startServer, type TestServer } from '../support.ts';
import { AccountPage } from './account-page.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const ROLES = ['Reader', 'Developer'].map((name) => `arn:aws:iam::123456789012:role/${name}`);

/** A signed-in terminal. */
async function terminal(key: SoftKey) {
  const { client, access_token } = await signIn(server.origin, key);
  return {
    id: String(decodeJwt(access_token).sid),
    api: (method: string, path: string, body?: unknown) =>
      client.api(method, `/api/${path}`, access_token, body === undefined ? {} : { body }),
    isOpen: async () => (await client.api('GET', '/api/session', access_token)).status === 200,
  };
}

const isOpen = async (account: AccountPage) => (await account.get('me')).status === 200;

const auditOf = (email: string, event = '%') =>
  server.context.store
    .selectFrom('audit')
    .where('subject', '=', email)
    .where('event', 'like', event)
    .orderBy('id')
    .selectAll()
    .execute();

describe('the list of sessions', () => {
  test('has terminals with their last role, and browsers', async () => {
    const { key } = await enrolPerson(server);
    const first = await terminal(key);
    moveClock(server, 1000);
    const second = await terminal(key);
    for (const role of ROLES) await jsonOf(await first.api('POST', 'aws/token', { role }));
    const account = await AccountPage.signIn(server.origin, key);
    expect(await account.sessions()).toEqual({
      sessions: [
        {
          id: second.id,
          machine: 'alices-laptop',
          keyName: 'Security key',
          since: expect.stringMatching(/Z$/),
          until: expect.stringMatching(/Z$/),
          lastRole: null,
          current: false,
        },
        {
          id: first.id,
          machine: 'alices-laptop',
          keyName: 'Security key',
          since: expect.stringMatching(/Z$/),
          until: expect.stringMatching(/Z$/),
          lastRole: { arn: ROLES[1], at: expect.stringMatching(/Z$/) },
          current: false,
        },
      ],
      browsers: [
        {
          id: expect.any(String),
          browser: null,
          ip: account.browser.address,
          touchedAt: expect.stringMatching(/Z$/),
          seenAt: expect.stringMatching(/Z$/),
          current: true,
        },
      ],
    });
    const seen = await jsonOf<{ sessions: { current: boolean }[] }>(await second.api('GET', 'sessions'));
    expect(seen.sessions.map(({ current }) => current)).toEqual([true, false]);
  });

  test('has none that is over, and nobody else’s', async () => {
    const { key } = await enrolPerson(server);
    const other = await enrolPerson(server);
    await terminal(other.key);
    await AccountPage.signIn(server.origin, other.key);
    const over = await terminal(key);
    await over.api('DELETE', 'session');
    await terminal(key);
    moveClock(server, 8 * 3600_000);
    const account = await AccountPage.signIn(server.origin, key);
    const { sessions, browsers } = await account.sessions();
    expect(sessions).toEqual([]);
    expect(browsers).toMatchObject([{ current: true }]);
  });
});

describe('ending a session', () => {
  test('of a terminal, from the page: it is over at its next request', async () => {
    const { email, key } = await enrolPerson(server);
    const [one, another] = [await terminal(key), await terminal(key)];
    await jsonOf(await one.api('POST', 'aws/token', { role: ROLES[0] }));
    const account = await AccountPage.signIn(server.origin, key);
    expect(await jsonOf(await account.send('DELETE', `sessions/${one.id}`))).toEqual({
      sessions: 1,
      browsers: 0,
      awsCredentialsUntil: expect.stringMatching(/Z$/),
    });
    expect([await one.isOpen(), await another.isOpen()]).toEqual([false, true]);
    expect(await auditOf(email, 'session-ended')).toMatchObject([
      { actor: email, session_id: one.id, reason: 'ended-by-person', ip: account.browser.address },
    ]);
  });

  test('of a browser, from a terminal', async () => {
    const { key } = await enrolPerson(server);
    const here = await terminal(key);
    const account = await AccountPage.signIn(server.origin, key);
    const [browser] = (await account.sessions()).browsers;
    expect(await jsonOf(await here.api('DELETE', `sessions/${browser?.id}`))).toEqual({
      sessions: 0,
      browsers: 1,
      awsCredentialsUntil: null,
    });
    expect(await isOpen(account)).toBe(false);
  });

  test('one’s own: the page is signed out', async () => {
    const { key } = await enrolPerson(server);
    const account = await AccountPage.signIn(server.origin, key);
    const [browser] = (await account.sessions()).browsers;
    await jsonOf(await account.send('DELETE', `sessions/${browser?.id}`));
    expect(account.browser.cookies).toEqual([]);
    expect(await isOpen(account)).toBe(false);
  });

  test('of another person, one that is over, or none is one answer: 404', async () => {
    const { key } = await enrolPerson(server);
    const other = await enrolPerson(server);
    const theirs = await terminal(other.key);
    const theirPage = await AccountPage.signIn(server.origin, other.key);
    const [browser] = (await theirPage.sessions()).browsers;
    const over = await terminal(key);
    await over.api('DELETE', 'session');
    const here = await terminal(key);
    const account = await AccountPage.signIn(server.origin, key);
    for (const id of [theirs.id, browser?.id, over.id, 'nothing']) {
      await expectProblem(await account.send('DELETE', `sessions/${id}`), 404, 'not-found');
      await expectProblem(await here.api('DELETE', `sessions/${id}`), 404, 'not-found');
    }
    expect(await theirs.isOpen()).toBe(true);
    expect(await isOpen(theirPage)).toBe(true);
  });

  test('all others: the present one stays, and other people’s do', async () => {
    const { key } = await enrolPerson(server);
    const other = await terminal((await enrolPerson(server)).key);
    const [one, here] = [await terminal(key), await terminal(key)];
    const [account, elsewhere] = [
      await AccountPage.signIn(server.origin, key),
      await AccountPage.signIn(server.origin, key),
    ];
    const ended = await jsonOf(await account.send('DELETE', 'sessions'));
    expect(ended).toMatchObject({ sessions: 2, browsers: 1 });
    expect([await one.isOpen(), await here.isOpen(), await isOpen(elsewhere)]).toEqual([false, false, false]);
    expect([await isOpen(account), await other.isOpen()]).toEqual([true, true]);

    const [again, third] = [await terminal(key), await terminal(key)];
    expect(await jsonOf(await again.api('DELETE', 'sessions'))).toMatchObject({ sessions: 1, browsers: 1 });
    expect([await again.isOpen(), await third.isOpen(), await isOpen(account)]).toEqual([true, false, false]);
  });
});

describe('“This was not me”', () => {
  test('ends every session, the present one too, and is in the audit trail as such', async () => {
    const { email, key } = await enrolPerson(server);
    const other = await terminal((await enrolPerson(server)).key);
    const [one, another] = [await terminal(key), await terminal(key)];
    await jsonOf(await one.api('POST', 'aws/token', { role: ROLES[0] }));
    const account = await AccountPage.signIn(server.origin, key);
    const response = await account.send('POST', 'not-me');
    expect(await jsonOf(response)).toEqual({
      sessions: 2,
      browsers: 1,
      awsCredentialsUntil: expect.stringMatching(/Z$/),
    });
    expect(account.browser.cookies).toEqual([]);
    expect([await one.isOpen(), await another.isOpen(), await isOpen(account)]).toEqual([false, false, false]);
    expect(await other.isOpen()).toBe(true);
    expect(await auditOf(email, 'reported-not-me')).toMatchObject([{ actor: email, ip: account.browser.address }]);
    const ended = (await auditOf(email)).filter(({ event }) => event.endsWith('session-ended'));
    expect(ended.map(({ reason }) => reason)).toEqual(['not-me', 'not-me', 'not-me']);
  });

  test('works from a terminal', async () => {
    const { email, key } = await enrolPerson(server);
    const here = await terminal(key);
    const account = await AccountPage.signIn(server.origin, key);
    expect(await jsonOf(await here.api('POST', 'not-me'))).toMatchObject({ sessions: 1, browsers: 1 });
    expect([await here.isOpen(), await isOpen(account)]).toEqual([false, false]);
    expect(await auditOf(email, 'reported-not-me')).toHaveLength(1);
  });

  test('ten times at once is one event', async () => {
    const { email, key } = await enrolPerson(server);
    const account = await AccountPage.signIn(server.origin, key);
    const responses = await Promise.all(Array.from({ length: 10 }, () => account.send('POST', 'not-me')));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await auditOf(email, 'reported-not-me')).toHaveLength(1);
  });
});
