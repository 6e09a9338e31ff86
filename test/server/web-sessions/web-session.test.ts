import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hash } from '../../../server/secrets.ts';
import { AccountPage, COOKIE } from '../account/account-page.ts';
import { Browser } from '../browser.ts';
import type { Ceremony, SoftKey } from '../soft-key.ts';
import { enrolPerson, expectProblem, jsonOf, moveClock, SignIn, startServer, type TestServer } from '../support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const MINUTE = 60_000;

const rowsOf = (email: string) =>
  server.context.store
    .selectFrom('web_sessions')
    .innerJoin('people', 'people.id', 'web_sessions.person_id')
    .where('people.email', '=', email)
    .selectAll('web_sessions')
    .execute();

const auditOf = (email: string) =>
  server.context.store
    .selectFrom('audit')
    .where('subject', '=', email)
    .where('event', 'like', 'web-session%')
    .orderBy('id')
    .select(['event', 'reason', 'actor', 'machine'])
    .execute();

async function signedIn(): Promise<{ email: string; key: SoftKey; account: AccountPage }> {
  const { email, key } = await enrolPerson(server);
  return { email, key, account: await AccountPage.signIn(server.origin, key) };
}

const cookieIn = (account: AccountPage) => account.browser.cookies.find(({ name }) => name === COOKIE)?.value ?? '';

/** A request with exactly these halves, from nowhere in particular. */
function bare(method: string, path: string, headers: Record<string, string>): Promise<Response> {
  return fetch(`${server.origin}/account/${path}`, { method, headers });
}

describe('a touch begins a web session', () => {
  test('with a cookie for this host alone, and another secret for the page', async () => {
    const { email, key } = await enrolPerson(server);
    const account = new AccountPage(server.origin);
    const response = await account.touchToSignIn(key);
    const [line, ...others] = response.headers.getSetCookie();
    expect(others).toEqual([]);
    expect(line).toMatch(/^__Host-vouch-account=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    const { page } = await jsonOf<{ page: string }>(response);
    expect(page).toMatch(/^[\w-]{43}$/);
    expect(page).not.toBe(cookieIn(account));
    expect(response.headers.get('cache-control')).toBe('no-store');
    // The database has hashes only.
    const [row] = await rowsOf(email);
    expect(row).toMatchObject({ cookie_hash: hash(cookieIn(account)), page_hash: hash(page), key_id: key.id });
    expect(await auditOf(email)).toMatchObject([{ event: 'web-session-began', actor: email }]);
    expect(await jsonOf(await account.get('me'))).toMatchObject({ email, role: 'member', idleSeconds: 900 });
  });

  test('is asked for with a discoverable credential and user verification', async () => {
    expect(await jsonOf(await new Browser(server.origin).post('/account/sign-in/options'))).toEqual({
      rpId: 'localhost',
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      timeout: 300_000,
      userVerification: 'required',
      hints: ['security-key'],
    });
  });

  test('that knows the browser by its name', async () => {
    const { email, key } = await enrolPerson(server);
    const browser = new Browser(server.origin);
    const options = await jsonOf<never>(await browser.post('/account/sign-in/options'));
    const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
    await jsonOf(await browser.post('/account/sign-in/verify', key.get(options), { 'user-agent': agent }));
    expect(await rowsOf(email)).toMatchObject([{ browser: 'Firefox on Linux', ip: browser.address }]);
  });

  const wrong: [string, Ceremony, string][] = [
    ['from another origin', { origin: 'https://localhost.evil.example' }, 'assertion-refused'],
    ['from another port of this host', { origin: 'http://localhost:1' }, 'assertion-refused'],
    ['without user verification', { userVerified: false }, 'user-not-verified'],
    ['with a bad signature', { badSignature: true }, 'assertion-refused'],
    ['from a frame', { crossOrigin: true }, 'assertion-refused'],
    ['without a user handle', { userHandle: null }, 'assertion-refused'],
    ['with a counter that stands still', { counter: 1 }, 'counter-went-back'],
    ['of an unknown credential', { credentialId: 'B'.repeat(43) }, 'unknown-key'],
    ['with a challenge that was never issued', { challenge: 'A'.repeat(43) }, 'challenge-used'],
  ];
  for (const [name, how, problem] of wrong) {
    test(`but not ${name}`, async () => {
      const { email, key } = await enrolPerson(server);
      await AccountPage.signIn(server.origin, key);
      const account = new AccountPage(server.origin);
      const response = await account.touchToSignIn(key, how);
      expect(response.headers.getSetCookie()).toEqual([]);
      await expectProblem(response, 403, problem);
      expect(await rowsOf(email)).toHaveLength(1);
    });
  }

  test('but not with a challenge of a terminal’s sign-in, nor the other way round', async () => {
    const { key } = await enrolPerson(server);
    const terminal = await SignIn.open(server.origin);
    const { challenge } = await terminal.options();
    await expectProblem(await new AccountPage(server.origin).touchToSignIn(key, { challenge }), 403, 'challenge-used');
    const options = await jsonOf<{ challenge: string }>(
      await new Browser(server.origin).post('/account/sign-in/options'),
    );
    await expectProblem(await terminal.touch(key, { challenge: options.challenge }), 403, 'challenge-used');
  });

  test('once: of 10 uses of one challenge at the same moment, one', async () => {
    const { email, key } = await enrolPerson(server, { counts: false });
    const browser = new Browser(server.origin);
    const options = await jsonOf<never>(await browser.post('/account/sign-in/options'));
    const answers = Array.from({ length: 10 }, () => key.get(options));
    const responses = await Promise.all(answers.map((answer) => browser.post('/account/sign-in/verify', answer)));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await rowsOf(email)).toHaveLength(1);
  });

  test('but not for a disabled person, after the end date, or with a removed key; the refusal is counted', async () => {
    const { store } = server.context;
    const disabled = await enrolPerson(server);
    await store.updateTable('people').set({ disabled_at: 1 }).where('email', '=', disabled.email).execute();
    const ended = await enrolPerson(server);
    await store.updateTable('people').set({ ends_at: 1 }).where('email', '=', ended.email).execute();
    const removed = await enrolPerson(server);
    await store.updateTable('keys').set({ removed_at: 1 }).where('id', '=', removed.key.id).execute();
    for (const { key, email } of [disabled, ended, removed]) {
      const problem = email === removed.email ? 'unknown-key' : 'person-shut-out';
      await expectProblem(await new AccountPage(server.origin).touchToSignIn(key), 403, problem);
      const windows = await store.selectFrom('audit_windows').where('email', '=', email).selectAll().execute();
      expect(windows).toMatchObject([{ event: 'sign-in-refused', problem, count: 1 }]);
    }
  });

  test('but not from another site’s page, which gets no Set-Cookie', async () => {
    const { key } = await enrolPerson(server);
    const browser = new Browser(server.origin);
    const options = await jsonOf<never>(await browser.post('/account/sign-in/options'));
    const answer = key.get(options);
    const foreign = await browser.post('/account/sign-in/verify', answer, { origin: 'https://evil.example' });
    await expectProblem(foreign, 403, 'bad-request');
    // A form of another site can send text without saying where it is from; the server does not read it.
    const form = await browser.post('/account/sign-in/verify', answer, { 'content-type': 'text/plain' });
    await expectProblem(form, 400, 'bad-request');
    expect([...foreign.headers.getSetCookie(), ...form.headers.getSetCookie()]).toEqual([]);
  });
});

describe('neither half works without the other:', () => {
  const tries: [string, (mine: AccountPage, other: AccountPage) => Record<string, string>][] = [
    ['nothing', () => ({})],
    ['the cookie alone', (mine) => ({ cookie: `${COOKIE}=${cookieIn(mine)}` })],
    ['the page’s secret alone', (mine) => ({ 'vouch-page': mine.page ?? '' })],
    [
      'another session’s cookie (planted) with the page’s secret',
      (mine, other) => ({ cookie: `${COOKIE}=${cookieIn(other)}`, 'vouch-page': mine.page ?? '' }),
    ],
    [
      'the cookie (read) with another session’s page secret',
      (mine, other) => ({ cookie: `${COOKIE}=${cookieIn(mine)}`, 'vouch-page': other.page ?? '' }),
    ],
    ['the cookie as both', (mine) => ({ cookie: `${COOKIE}=${cookieIn(mine)}`, 'vouch-page': cookieIn(mine) })],
    ['the page’s secret as both', (mine) => ({ cookie: `${COOKIE}=${mine.page}`, 'vouch-page': mine.page ?? '' })],
    [
      'the cookie under a name that a sibling host can set',
      (mine) => ({ cookie: `vouch-account=${cookieIn(mine)}`, 'vouch-page': mine.page ?? '' }),
    ],
    [
      'the cookie twice',
      (mine) => ({
        cookie: `${COOKIE}=${cookieIn(mine)}; ${COOKIE}=${cookieIn(mine)}`,
        'vouch-page': mine.page ?? '',
      }),
    ],
    [
      'the cookie and a planted one',
      (mine, other) => ({
        cookie: `${COOKIE}=${cookieIn(other)}; ${COOKIE}=${cookieIn(mine)}`,
        'vouch-page': mine.page ?? '',
      }),
    ],
    ['empty text', () => ({ cookie: `${COOKIE}=`, 'vouch-page': '' })],
    ['the hashes', (mine) => ({ cookie: `${COOKIE}=${hash(cookieIn(mine))}`, 'vouch-page': hash(mine.page ?? '') })],
  ];
  let mine: AccountPage;
  let other: AccountPage;
  beforeAll(async () => {
    mine = (await signedIn()).account;
    other = (await signedIn()).account;
  });
  for (const [name, headers] of tries) {
    test(name, async () => {
      for (const path of ['me', 'keys', 'sessions', 'history']) {
        await expectProblem(await bare('GET', path, headers(mine, other)), 401, 'web-session-over');
      }
      await expectProblem(await bare('POST', 'sign-out', headers(mine, other)), 401, 'web-session-over');
      expect((await mine.get('me')).status).toBe(200);
    });
  }

  test('both, among 300 other cookies, do', async () => {
    const many = Array.from({ length: 300 }, (_, number) => `c${number}=${'x'.repeat(30)}`).join('; ');
    const headers = { cookie: `${many}; ${COOKIE}=${cookieIn(mine)}; z=1`, 'vouch-page': mine.page ?? '' };
    expect((await bare('GET', 'me', headers)).status).toBe(200);
    // Node refuses headers above 16 KiB before anything reads them.
    expect((await bare('GET', 'me', { cookie: 'x'.repeat(20_000) })).status).toBe(431);
  });
});

describe('a web session ends', () => {
  test('after 15 minutes without a request, and not before', async () => {
    const { account } = await signedIn();
    moveClock(server, 14 * MINUTE);
    expect((await account.get('me')).status).toBe(200);
    // That request began another 15 minutes.
    moveClock(server, 28 * MINUTE);
    expect((await account.get('me')).status).toBe(200);
    moveClock(server, 43 * MINUTE + 1000);
    await expectProblem(await account.get('me'), 401, 'web-session-over');
    await expectProblem(await account.get('me'), 401, 'web-session-over');
  });

  test('8 hours after the touch, however busy; and no later than a terminal’s session', async () => {
    const { account } = await signedIn();
    for (let minutes = 14; minutes < 8 * 60; minutes += 14) {
      moveClock(server, minutes * MINUTE);
      expect((await account.get('me')).status).toBe(200);
    }
    moveClock(server, 8 * 60 * MINUTE);
    await expectProblem(await account.get('me'), 401, 'web-session-over');

    const short = await startServer({ VOUCH_SESSION_HOURS: '0.25' });
    try {
      const { key } = await enrolPerson(short);
      const brief = await AccountPage.signIn(short.origin, key);
      moveClock(short, 14 * MINUTE);
      expect((await brief.get('me')).status).toBe(200);
      moveClock(short, 15 * MINUTE);
      await expectProblem(await brief.get('me'), 401, 'web-session-over');
    } finally {
      await short.close();
    }
  });

  test('when the person signs out: the cookie is taken back, and its old value is worthless', async () => {
    const { email, account } = await signedIn();
    const cookie = cookieIn(account);
    const response = await account.send('POST', 'sign-out');
    expect(response.status).toBe(204);
    expect(response.headers.getSetCookie()[0]).toMatch(/^__Host-vouch-account=; .*Expires=Thu, 01 Jan 1970/);
    expect(response.headers.getSetCookie()[0]).toMatch(/; HttpOnly; Secure; SameSite=Strict$/);
    expect(cookieIn(account)).toBe('');
    const headers = { cookie: `${COOKIE}=${cookie}`, 'vouch-page': account.page ?? '' };
    await expectProblem(await bare('GET', 'me', headers), 401, 'web-session-over');
    expect(await rowsOf(email)).toEqual([]);
    expect(await auditOf(email)).toMatchObject([
      { event: 'web-session-began' },
      { event: 'web-session-ended', reason: 'signed-out', actor: email },
    ]);
  });

  test('when the person is disabled, when their end date comes, and when the key is removed', async () => {
    const { store } = server.context;
    const people = [await signedIn(), await signedIn(), await signedIn()] as const;
    const [disabled, ended, removed] = people;
    await store.updateTable('people').set({ disabled_at: 1 }).where('email', '=', disabled.email).execute();
    await store.updateTable('people').set({ ends_at: 1 }).where('email', '=', ended.email).execute();
    await store.updateTable('keys').set({ removed_at: 1 }).where('id', '=', removed.key.id).execute();
    for (const { account } of people) await expectProblem(await account.get('me'), 401, 'web-session-over');
  });

  test('when the same browser signs in again: the new cookie has taken its place', async () => {
    const { email, key, account } = await signedIn();
    const again = await AccountPage.signIn(server.origin, key, account.browser);
    await expectProblem(await account.get('me'), 401, 'web-session-over');
    expect((await again.get('me')).status).toBe(200);
    expect(await rowsOf(email)).toHaveLength(1);
    expect((await auditOf(email)).map(({ reason }) => reason)).toEqual([null, 'replaced', null]);
  });

  test('but not because somebody else signs in with a cookie that they read', async () => {
    const { account } = await signedIn();
    const thief = await enrolPerson(server);
    const browser = new Browser(server.origin);
    const options = await jsonOf<never>(await browser.post('/account/sign-in/options'));
    const cookie = `${COOKIE}=${cookieIn(account)}`;
    await jsonOf(await browser.post('/account/sign-in/verify', thief.key.get(options), { cookie }));
    expect((await account.get('me')).status).toBe(200);
  });

  test('when the person has more than 20: the one that was touched longest ago', async () => {
    const { email, key, account } = await signedIn();
    for (let count = 1; count <= 20; count += 1) {
      moveClock(server, count * 1000);
      await AccountPage.signIn(server.origin, key);
    }
    expect(await rowsOf(email)).toHaveLength(20);
    await expectProblem(await account.get('me'), 401, 'web-session-over');
    expect((await auditOf(email)).filter(({ event }) => event === 'web-session-ended')).toMatchObject([
      { reason: 'too-many' },
    ]);
  });
});

describe('another touch on the same page', () => {
  test('renews both secrets, the touch and the end; the old secrets are worthless', async () => {
    const { email, key, account } = await signedIn();
    const old = { cookie: `${COOKIE}=${cookieIn(account)}`, 'vouch-page': account.page ?? '' };
    const [before] = await rowsOf(email);
    moveClock(server, 10 * MINUTE);
    await jsonOf(await account.touch(key));
    await expectProblem(await bare('GET', 'me', old), 401, 'web-session-over');
    expect((await account.get('me')).status).toBe(200);
    const [after] = await rowsOf(email);
    expect(after?.id).toBe(before?.id);
    expect(Number(after?.touched_at) - Number(before?.touched_at)).toBeGreaterThanOrEqual(10 * MINUTE);
    expect(Number(after?.expires_at) - Number(after?.touched_at)).toBe(8 * 3600_000);
  });

  test('is in the audit trail, with its key and from where it came, and one that is refused is not', async () => {
    const { email, key, account } = await signedIn();
    const [session] = await rowsOf(email);
    expect((await account.touch(key, { badSignature: true })).status).toBe(403);
    await jsonOf(await account.touch(key));
    const rows = await server.context.store
      .selectFrom('audit')
      .where('subject', '=', email)
      .where('event', '=', 'web-session-renewed')
      .selectAll()
      .execute();
    expect(rows).toMatchObject([
      { actor: email, key_id: key.id, session_id: session?.id, ip: account.browser.address, result: 'done' },
    ]);
    expect(rows[0]?.request_id).toMatch(/./);
    expect(rows[0]?.machine).toBe(session?.browser);
  });

  test('is asked of the person’s own keys, and may come from one that does not name its user', async () => {
    const { key, account } = await signedIn();
    const options = await jsonOf<{ allowCredentials: { id: string }[] }>(await account.send('POST', 'touch/options'));
    expect(options.allowCredentials.map(({ id }) => id)).toEqual([key.id]);
    await jsonOf(await account.touch(key, { userHandle: null }));
  });

  test('of several at the same moment, one counts: the secrets of the others would belong to nobody', async () => {
    const { key } = await enrolPerson(server, { counts: false });
    const account = await AccountPage.signIn(server.origin, key);
    const { page } = account;
    const options = await Promise.all(
      [1, 2, 3].map(async () => jsonOf<never>(await account.send('POST', 'touch/options'))),
    );
    const responses = await Promise.all(options.map((each) => account.send('POST', 'touch/verify', key.get(each))));
    expect(responses.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
    const won = responses.find(({ status }) => status === 200);
    account.page = (await jsonOf<{ page: string }>(won as Response)).page;
    expect(account.page).not.toBe(page);
    expect((await account.get('me')).status).toBe(200);
  });

  test('of another person’s key changes nothing', async () => {
    const { email, account } = await signedIn();
    const other = await enrolPerson(server);
    const [before] = await rowsOf(email);
    await expectProblem(await account.touch(other.key), 403, 'unknown-key');
    expect(await rowsOf(email)).toEqual([before]);
  });

  test('is bound to its session: another one’s challenge is refused, and so is one for signing in', async () => {
    const { key, account } = await signedIn();
    const other = await AccountPage.signIn(server.origin, key);
    const foreign = await jsonOf<{ challenge: string }>(await other.send('POST', 'touch/options'));
    await expectProblem(await account.touch(key, { challenge: foreign.challenge }), 403, 'challenge-used');
    const signIn = await jsonOf<{ challenge: string }>(await account.send('POST', 'sign-in/options'));
    await expectProblem(await account.touch(key, { challenge: signIn.challenge }), 403, 'challenge-used');
    const touch = await jsonOf<{ challenge: string }>(await account.send('POST', 'touch/options'));
    const stranger = new AccountPage(server.origin);
    await expectProblem(await stranger.touchToSignIn(key, { challenge: touch.challenge }), 403, 'challenge-used');
  });

  test('needs a session', async () => {
    const stranger = new AccountPage(server.origin);
    for (const step of ['options', 'verify']) {
      await expectProblem(await stranger.send('POST', `touch/${step}`), 401, 'web-session-over');
    }
  });
});

test('a stranger’s body is not read', async () => {
  const response = await fetch(`${server.origin}/account/touch/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{',
  });
  await expectProblem(response, 401, 'web-session-over');
});

test('the sweeper deletes web sessions that have ended', async () => {
  const { email } = await signedIn();
  const { sweeperFor } = await import('../../../server/serve.ts');
  const sweeper = sweeperFor(server.context);
  await sweeper.sweep(Date.now() + 8 * 3600_000 - MINUTE);
  expect(await rowsOf(email)).toHaveLength(1);
  await sweeper.sweep(Date.now() + 8 * 3600_000);
  expect(await rowsOf(email)).toEqual([]);
});

test('the limit of requests is per address', async () => {
  const address = { 'x-forwarded-for': '192.0.2.99' };
  let status = 401;
  let count = 0;
  for (; status === 401 && count < 1300; count += 1) {
    const response = await bare('GET', 'me', address);
    await response.arrayBuffer();
    ({ status } = response);
  }
  expect([status, count]).toEqual([429, 1201]);
  const { account } = await signedIn();
  expect((await account.get('me')).status).toBe(200);
});
