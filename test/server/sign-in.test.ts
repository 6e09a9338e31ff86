import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Browser } from './browser.ts';
import { CliClient } from './cli-client.ts';
import { type Ceremony, SoftKey } from './soft-key.ts';
import {
  Enrolment,
  enrolPerson,
  expectProblem,
  inviteCode,
  jsonOf,
  moveClock,
  newAddress,
  SignIn,
  signIn,
  startServer,
  type TestServer,
} from './support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

async function sessionsOf(email: string): Promise<number> {
  const rows = await server.context.store
    .selectFrom('sessions')
    .innerJoin('people', 'people.id', 'sessions.person_id')
    .where('people.email', '=', email)
    .select('sessions.id')
    .execute();
  return rows.length;
}

async function counterOf(key: SoftKey): Promise<number | undefined> {
  const row = await server.context.store
    .selectFrom('keys')
    .where('id', '=', key.id)
    .select('counter')
    .executeTakeFirst();
  return row?.counter;
}

describe('a touch', () => {
  test('signs in: code with state and iss at the loopback address, tokens for the code, a session of the person', async () => {
    const { email, key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    const url = await page.callback(key);
    expect(url.origin + url.pathname).toBe('http://127.0.0.1:49152/callback');
    expect(url.searchParams.get('state')).toBe(page.client.state);
    expect(url.searchParams.get('iss')).toBe(server.origin);

    const tokens = await jsonOf<Record<string, string>>(await page.client.redeem(url.searchParams.get('code') ?? ''));
    expect(Object.keys(tokens).sort()).toEqual(['access_token', 'expires_in', 'id_token', 'scope', 'token_type']);
    expect(tokens.token_type).toBe('DPoP');
    expect(decodeJwt(tokens.id_token ?? '')).toMatchObject({
      iss: server.origin,
      aud: 'vouch-cli',
      sub: email,
      nonce: page.client.nonce,
    });
    expect(await jsonOf(await page.client.api('GET', '/api/session', tokens.access_token ?? ''))).toMatchObject({
      email,
      key: { name: 'Security key', model: null },
    });
    expect(await sessionsOf(email)).toBe(1);
  });

  test('is asked for with a discoverable credential, user verification and a hint for security keys', async () => {
    const page = await SignIn.open(server.origin);
    expect(await page.options()).toEqual({
      rpId: 'localhost',
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      timeout: 300_000,
      userVerification: 'required',
      hints: ['security-key'],
    });
  });

  test('of a key that does not count is taken again and again', async () => {
    const { key } = await enrolPerson(server, { counts: false });
    await signIn(server.origin, key);
    await signIn(server.origin, key);
    expect(await counterOf(key)).toBe(0);
  });

  test('is told to the page with client, machine and times; cancelling tells the client access_denied', async () => {
    const page = await SignIn.open(server.origin);
    const details = await jsonOf(await page.browser.get(`/login/${page.uid}/details`));
    expect(details).toMatchObject({ client: 'Vouch CLI', machine: 'alices-laptop', host: new URL(server.origin).host });
    const { redirectTo } = await jsonOf<{ redirectTo: string }>(await page.post('cancel'));
    const url = await page.follow(redirectTo);
    expect(url.searchParams.get('error')).toBe('access_denied');
    expect(url.searchParams.get('code')).toBeNull();
  });

  test('is written to the audit table, and so is one that was refused', async () => {
    const { email, key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    await page.touch(key, { badSignature: true });
    await page.touch(key);
    const rows = await server.context.store
      .selectFrom('audit')
      .where('key_id', '=', key.id)
      .where('event', 'like', 'sign%')
      .select(['event', 'email', 'ip'])
      .execute();
    expect(rows).toEqual([
      { event: 'sign-in-refused', email: null, ip: page.browser.address },
      { event: 'signed-in', email, ip: page.browser.address },
    ]);
  });
});

test('what a refused assertion says of itself is cut short in the audit table', async () => {
  const { key } = await enrolPerson(server);
  const page = await SignIn.open(server.origin);
  await expectProblem(await page.touch(key, { origin: `https://${'x'.repeat(40_000)}` }), 403, 'assertion-refused');
  const row = await server.context.store
    .selectFrom('audit')
    .where('event', '=', 'sign-in-refused')
    .where('key_id', '=', key.id)
    .select('detail')
    .executeTakeFirstOrThrow();
  expect(row.detail).toContain('origin');
  expect(row.detail.length).toBeLessThan(600);
});

describe('an assertion is refused', () => {
  const wrong: [string, Ceremony, string][] = [
    ['from another origin', { origin: 'https://localhost.evil.example' }, 'assertion-refused'],
    ['from a page of the same host on another port', { origin: 'http://localhost:1' }, 'assertion-refused'],
    ['for another RP ID', { rpId: 'evil.example' }, 'assertion-refused'],
    ['without user presence', { userPresent: false }, 'assertion-refused'],
    ['without user verification', { userVerified: false }, 'user-not-verified'],
    ['with a bad signature', { badSignature: true }, 'assertion-refused'],
    ['from a frame in another site', { crossOrigin: true, topOrigin: 'https://evil.example' }, 'assertion-refused'],
    ['from a frame, by a browser that does not say where', { crossOrigin: true }, 'assertion-refused'],
    ['that does not say whether it is from a frame', { crossOrigin: null }, 'assertion-refused'],
    ['of a key that may be copied by now', { backupEligible: true }, 'assertion-refused'],
    ['of a key that has been copied', { backupEligible: true, backedUp: true }, 'assertion-refused'],
    ['of a copy of a key that may not be copied', { backedUp: true }, 'assertion-refused'],
    ['of the type of a registration', { type: 'webauthn.create' }, 'assertion-refused'],
    ['with another user handle', { userHandle: 'AAAA' }, 'assertion-refused'],
    ['without a user handle', { userHandle: null }, 'assertion-refused'],
    ['with a counter that went back', { counter: 1 }, 'counter-went-back'],
    ['with a counter that stands still', { counter: 2 }, 'counter-went-back'],
    ['with a counter that fell to 0', { counter: 0 }, 'counter-went-back'],
    ['with a challenge that nobody made', { challenge: 'A'.repeat(43) }, 'challenge-used'],
    ['of an unknown credential', { credentialId: 'B'.repeat(43) }, 'unknown-key'],
  ];
  for (const [name, how, problem] of wrong) {
    test(name, async () => {
      const { email, key } = await enrolPerson(server);
      await signIn(server.origin, key);
      const page = await SignIn.open(server.origin);
      await expectProblem(await page.touch(key, how), 403, problem);
      expect(await sessionsOf(email)).toBe(1);
      expect(await counterOf(key)).toBe(2);
      // Nothing is left over that a right touch could not mend.
      await jsonOf(await page.touch(key));
    });
  }

  test('of a key that signs with another key’s private key', async () => {
    const { key } = await enrolPerson(server);
    const thief = new SoftKey(server.origin);
    thief.userHandle = key.userHandle;
    const page = await SignIn.open(server.origin);
    await expectProblem(await page.touch(thief, { credentialId: key.id, counter: 99 }), 403, 'assertion-refused');
  });

  test('of a removed key, and of a disabled person', async () => {
    const removed = await enrolPerson(server);
    await server.context.store.updateTable('keys').set({ removed_at: 1 }).where('id', '=', removed.key.id).execute();
    await expectProblem(await (await SignIn.open(server.origin)).touch(removed.key), 403, 'unknown-key');
    const disabled = await enrolPerson(server);
    await server.context.store
      .updateTable('people')
      .set({ disabled_at: 1 })
      .where('email', '=', disabled.email)
      .execute();
    await expectProblem(await (await SignIn.open(server.origin)).touch(disabled.key), 403, 'unknown-key');
  });
});

describe('a challenge', () => {
  test('is used once, one after the other', async () => {
    const { email, key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    const options = await page.options();
    await jsonOf(await page.post('verify', key.get(options)));
    await expectProblem(await page.post('verify', key.get(options)), 403, 'challenge-used');
    expect(await sessionsOf(email)).toBe(1);
  });

  test('is used once, 20 at the same moment', async () => {
    const { email, key } = await enrolPerson(server, { counts: false });
    const page = await SignIn.open(server.origin);
    const options = await page.options();
    const answers = Array.from({ length: 20 }, () => key.get(options));
    const responses = await Promise.all(answers.map((answer) => page.post('verify', answer)));
    const statuses = responses.map((response) => response.status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 403)).toHaveLength(19);
    expect(await sessionsOf(email)).toBe(1);
  });

  test('is used up by a try that fails', async () => {
    const { key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    for (const how of [{ badSignature: true }, { credentialId: 'B'.repeat(43) }, { userHandle: 'AAAA' }]) {
      const options = await page.options();
      expect((await page.post('verify', key.get(options, how))).status).toBe(403);
      await expectProblem(await page.post('verify', key.get(options)), 403, 'challenge-used');
    }
  });

  test('dies in 5 minutes', async () => {
    const { email, key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    const options = await page.options();
    moveClock(server, 5 * 60_000);
    await expectProblem(await page.post('verify', key.get(options)), 403, 'challenge-used');
    expect(await sessionsOf(email)).toBe(0);
  });

  test('of another browser’s page is refused, and still good for that page', async () => {
    const { key } = await enrolPerson(server);
    const mine = await SignIn.open(server.origin);
    const other = await SignIn.open(server.origin);
    const options = await other.options();
    await expectProblem(await mine.post('verify', key.get(options)), 403, 'challenge-used');
    await jsonOf(await other.post('verify', key.get(options)));
  });

  test('of another purpose is refused: confirming an enrolment, enrolling', async () => {
    const { email, key } = await enrolPerson(server);
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    const confirm = await jsonOf<{ challenge: string }>(await enrolment.post('confirm/options'));
    const page = await SignIn.open(server.origin);
    await expectProblem(await page.touch(key, { challenge: confirm.challenge }), 403, 'challenge-used');

    const newcomer = await Enrolment.open(server.origin, await inviteCode(server, newAddress()));
    const { challenge } = await newcomer.options();
    await expectProblem(await page.touch(key, { challenge }), 403, 'challenge-used');

    const signingIn = await page.options();
    await expectProblem(await enrolment.confirm(key, { challenge: signingIn.challenge }), 403, 'challenge-used');
  });
});

describe('a sign-in page', () => {
  test('answers only the browser that opened it', async () => {
    const { key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    const stranger = new Browser(server.origin);
    const answer = key.get(await page.options());
    await expectProblem(await stranger.get(`/login/${page.uid}/details`), 410, 'interaction-over');
    await expectProblem(await stranger.post(`/login/${page.uid}/options`), 410, 'interaction-over');
    await expectProblem(await stranger.post(`/login/${page.uid}/verify`, answer), 410, 'interaction-over');
    await expectProblem(await stranger.post(`/login/${page.uid}/cancel`), 410, 'interaction-over');
    await jsonOf(await page.post('verify', answer));
  });

  test('of another browser is not opened by the cookie of one’s own', async () => {
    const page = await SignIn.open(server.origin);
    const other = await SignIn.open(server.origin);
    const own = page.browser.cookies.find((cookie) => cookie.name === 'vouch-interaction');
    const signature = page.browser.cookies.find((cookie) => cookie.name === 'vouch-interaction.sig');
    const cookie = `vouch-interaction=${own?.value}; vouch-interaction.sig=${signature?.value}`;
    const stranger = new Browser(server.origin);
    await expectProblem(await stranger.post(`/login/${other.uid}/options`, {}, { cookie }), 410, 'interaction-over');
    await jsonOf(await stranger.post(`/login/${page.uid}/options`, {}, { cookie }));
    const forged = `vouch-interaction=${other.uid}; vouch-interaction.sig=${signature?.value}`;
    await expectProblem(
      await stranger.post(`/login/${other.uid}/options`, {}, { cookie: forged }),
      410,
      'interaction-over',
    );
  });

  test('is over once it has led to a code', async () => {
    const { key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    await page.code(key);
    await expectProblem(await page.post('options'), 410, 'interaction-over');
  });

  test('is over after 10 minutes', async () => {
    const page = await SignIn.open(server.origin);
    moveClock(server, 10 * 60_000 + 1000);
    await expectProblem(await page.post('options'), 410, 'interaction-over');
  });
});

describe('there is no single sign-on', () => {
  test('a second sign-in with every cookie of the first asks for a touch', async () => {
    const { key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    await page.code(key);
    const second = await SignIn.open(server.origin, page.browser);
    expect(second.uid).not.toBe(page.uid);
    await jsonOf(await second.touch(key));
  });

  test('prompt=none is told login_required', async () => {
    const { email, key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    await page.code(key);
    const client = await CliClient.create(server.origin);
    const response = await page.browser.get(await client.pushed({ prompt: 'none' }));
    const url = new URL(response.headers.get('location') ?? '');
    expect(url.searchParams.get('error')).toBe('login_required');
    expect(url.searchParams.get('code')).toBeNull();
    expect(await sessionsOf(email)).toBe(1);
  });

  test('one touch cannot be followed twice: the second time there is no code', async () => {
    const { key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    const { redirectTo } = await jsonOf<{ redirectTo: string }>(await page.touch(key));
    const answers = await Promise.all(Array.from({ length: 10 }, () => page.browser.get(redirectTo)));
    const codes = answers.filter((answer) => answer.headers.get('location')?.includes('code='));
    expect(codes).toHaveLength(1);
  });
});

describe('the session', () => {
  test('ends the configured hours after the touch, not after the code was redeemed', async () => {
    const { key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    const answer = key.get(await page.options());
    const touched = Math.floor((Date.now() - 40_000) / 1000);
    const { now } = server.context;
    server.context.now = () => touched * 1000 + 999;
    const verified = await page.post('verify', answer);
    server.context.now = now;
    const { redirectTo } = await jsonOf<{ redirectTo: string }>(verified);
    const code = (await page.follow(redirectTo)).searchParams.get('code') ?? '';
    const tokens = await jsonOf<{ access_token: string; id_token: string }>(await page.client.redeem(code));
    expect(decodeJwt(tokens.access_token).exp).toBe(touched + 8 * 3600);
    const session = await jsonOf<Record<string, string>>(
      await page.client.api('GET', '/api/session', tokens.access_token),
    );
    expect(Date.parse(session.authTime ?? '')).toBe(touched * 1000);
    expect(Date.parse(session.expiresAt ?? '')).toBe((touched + 8 * 3600) * 1000);
  });

  test('lasts as long as VOUCH_SESSION_HOURS says', async () => {
    const short = await startServer({ VOUCH_SESSION_HOURS: '0.5' });
    try {
      const { key } = await enrolPerson(short);
      const { client, access_token } = await signIn(short.origin, key);
      const session = await jsonOf<Record<string, string>>(await client.api('GET', '/api/session', access_token));
      expect(Date.parse(session.expiresAt ?? '') - Date.parse(session.authTime ?? '')).toBe(1_800_000);
      expect(Number(decodeJwt(access_token).exp) * 1000).toBe(Date.parse(session.expiresAt ?? ''));
    } finally {
      await short.close();
    }
  });
});
