import { decodeJwt } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hash } from '../../../server/secrets.ts';
import { Browser } from '../browser.ts';
import { CliClient } from '../cli-client.ts';
import { type Ceremony, SoftKey } from '../soft-key.ts';
import {
  callbackOf,
  Enrolment,
  enrolPerson,
  expectProblem,
  inviteCode,
  jsonOf,
  moveClock,
  newEmail,
  SignIn,
  signIn,
  startServer,
  type TestServer,
} from '../support.ts';
import { addTrigger } from '../triggers.ts';

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
  test('signs in: a code with state and iss for the loopback address, tokens for the code, a session for the person', async () => {
    const { email, key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    const answer = await page.touch(key);
    const { session } = await jsonOf<{ session: { expiresAt: string } }>(answer.clone());
    const url = await callbackOf(answer);
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
      expiresAt: session.expiresAt,
    });
    // What the page shows in the end.
    expect(session).toEqual({ email, machine: 'alices-laptop', expiresAt: session.expiresAt });
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

  test('of a key that does not count is accepted again and again', async () => {
    const { key } = await enrolPerson(server, { counts: false });
    await signIn(server.origin, key);
    await signIn(server.origin, key);
    expect(await counterOf(key)).toBe(0);
  });

  test('has a page that shows client, machine and host; cancelling sends the client access_denied', async () => {
    const page = await SignIn.open(server.origin);
    const details = await jsonOf(await page.browser.get(`/login/${page.uid}/details`));
    expect(details).toMatchObject({ client: 'Vouch CLI', machine: 'alices-laptop', host: new URL(server.origin).host });
    const url = await callbackOf(await page.post('cancel'));
    expect(url.origin + url.pathname).toBe('http://127.0.0.1:49152/callback');
    expect(url.searchParams.get('error')).toBe('access_denied');
    expect(url.searchParams.get('code')).toBeNull();
  });

  test('is written to the audit table', async () => {
    const { email, key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    await page.touch(key);
    const rows = await server.context.store
      .selectFrom('audit')
      .where('key_id', '=', key.id)
      .where('event', 'like', 'sign%')
      .select(['event', 'actor', 'ip'])
      .execute();
    expect(rows).toEqual([{ event: 'signed-in', actor: email, ip: page.browser.address }]);
  });
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
    ['from a frame, by a browser that does not name the site around it', { crossOrigin: true }, 'assertion-refused'],
    ['that does not say whether it is from a frame', { crossOrigin: null }, 'assertion-refused'],
    ['of a key that can now be copied', { backupEligible: true }, 'assertion-refused'],
    ['of a key that has been copied', { backupEligible: true, backedUp: true }, 'assertion-refused'],
    ['of a copy of a key that cannot be copied', { backedUp: true }, 'assertion-refused'],
    [
      'from a frame, by a browser that names only the site around it',
      { topOrigin: 'https://evil.example' },
      'assertion-refused',
    ],
    ['from a frame in a site without a name', { topOrigin: '' }, 'assertion-refused'],
    ['of the type of a registration', { type: 'webauthn.create' }, 'assertion-refused'],
    ['with another user handle', { userHandle: 'AAAA' }, 'assertion-refused'],
    ['without a user handle', { userHandle: null }, 'assertion-refused'],
    ['with a counter that went back', { counter: 1 }, 'counter-went-back'],
    ['with a counter that stands still', { counter: 2 }, 'counter-went-back'],
    ['with a counter that fell to 0', { counter: 0 }, 'counter-went-back'],
    ['with a challenge that was never issued', { challenge: 'A'.repeat(43) }, 'challenge-used'],
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
      // A correct touch afterwards works.
      await jsonOf(await page.touch(key));
    });
  }

  test('with the ID of one key and the signature of another', async () => {
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
    const page = await SignIn.open(server.origin);
    // Whoever only knows the key's ID learns nothing.
    await expectProblem(await page.touch(disabled.key, { badSignature: true }), 403, 'assertion-refused');
    await expectProblem(await page.touch(disabled.key), 403, 'person-shut-out');
  });
});

describe('a challenge', () => {
  test('is good once, of two uses one after the other', async () => {
    const { email, key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    const options = await page.options();
    await expectProblem(await page.post('verify', key.get(options, { badSignature: true })), 403, 'assertion-refused');
    await expectProblem(await page.post('verify', key.get(options)), 403, 'challenge-used');
    await jsonOf(await page.touch(key));
    await expectProblem(await page.post('verify', key.get(options)), 410, 'interaction-over');
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

  test('expires after 5 minutes', async () => {
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

    const newcomer = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
    const { challenge } = await newcomer.options();
    await expectProblem(await page.touch(key, { challenge }), 403, 'challenge-used');

    const signingIn = await page.options();
    await expectProblem(await enrolment.confirm(key, { challenge: signingIn.challenge }), 403, 'challenge-used');
  });
});

/** Cookies that an attacker may have planted in a browser, or read there. They must be worthless. */
function planted(uid: string): string {
  const names = [
    'vouch-interaction',
    'vouch-resume',
    'vouch-session',
    '_interaction',
    '_interaction_resume',
    '_session',
  ];
  return names.flatMap((name) => [`${name}=${uid}`, `${name}.sig=AAAA`, `__Host-${name}=${uid}`]).join('; ');
}

async function codesIn(response: Response): Promise<string[]> {
  const said = `${response.headers.get('location')} ${await response.text()}`;
  return said.match(/[?&#]code=[\w-]+/g) ?? [];
}

describe('a sign-in that an attacker has begun', () => {
  test('gives the code to the page of the touch, and nothing to the attacker', async () => {
    const { email, key } = await enrolPerson(server);
    // He pushes a request, opens it, keeps whatever comes, and leads her to the page.
    const his = await SignIn.open(server.origin);
    const hers = new Browser(server.origin);
    const login = `/login/${his.uid}`;
    const cookie = planted(his.uid);
    const options = await jsonOf<{ challenge: string }>(await hers.post(`${login}/options`, {}, { cookie }));
    const answer = await hers.post(`${login}/verify`, key.get(options as never), { cookie });
    const callback = await callbackOf(answer);
    expect(callback.origin + callback.pathname).toBe('http://127.0.0.1:49152/callback');

    const got: string[] = [];
    for (const path of [`/auth/${his.uid}`, `/AUTH/${his.uid}`, `/auth/${his.uid}/`, login, `${login}/details`]) {
      got.push(...(await codesIn(await his.browser.get(path, { cookie }))));
      got.push(...(await codesIn(await his.browser.get(path))));
    }
    for (const step of ['verify', 'options', 'cancel']) {
      got.push(...(await codesIn(await his.browser.post(`${login}/${step}`, key.get(options as never), { cookie }))));
    }
    expect(got).toEqual([]);
    expect(await sessionsOf(email)).toBe(1);
  });

  test('cannot be resumed at a URL, neither before the touch nor after it', async () => {
    const { key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    const cookie = planted(page.uid);
    await expectProblem(await page.browser.get(`/auth/${page.uid}`, { cookie }), 404, 'not-found');
    await page.code(key);
    await expectProblem(await page.browser.get(`/auth/${page.uid}`, { cookie }), 404, 'not-found');
  });

  test('with touches of two people at the same moment gives one of them their own code, and the other none', async () => {
    const alice = await enrolPerson(server);
    const mallory = await enrolPerson(server);
    for (let round = 0; round < 5; round += 1) {
      const page = await SignIn.open(server.origin);
      const tries = await Promise.all(
        [alice, mallory].map(async (person) => ({ person, options: await page.options() })),
      );
      const answers = await Promise.all(
        tries.map(async ({ person, options }) => ({
          person,
          response: await new Browser(server.origin).post(`/login/${page.uid}/verify`, person.key.get(options)),
        })),
      );
      const won = answers.filter(({ response }) => response.status === 200);
      expect(won).toHaveLength(1);
      for (const { person, response } of won) {
        const code = (await callbackOf(response)).searchParams.get('code') ?? '';
        const tokens = await jsonOf<{ id_token: string }>(await page.client.redeem(code));
        expect(decodeJwt(tokens.id_token).sub).toBe(person.email);
      }
      for (const { response } of answers.filter(({ response }) => response.status !== 200)) {
        await expectProblem(response, 410, 'interaction-over');
      }
    }
    // The loser has had no session, not even for a moment.
    expect((await sessionsOf(alice.email)) + (await sessionsOf(mallory.email))).toBe(5);
  });

  test('gets a result that is stored nowhere, so that nobody can put another in its place', async () => {
    const { key } = await enrolPerson(server);
    const { store } = server.context;
    await sql`create table named (id_hash text)`.execute(store);
    const remove = await addTrigger(server.context, 'after insert on oidc_payloads', {
      when: "new.model = 'Interaction'",
      run: 'insert into named values (new.id_hash)',
    });
    try {
      const page = await SignIn.open(server.origin);
      await page.code(key);
      const { rows } = await sql<{ id_hash: string }>`select id_hash from named`.execute(store);
      expect(rows).toEqual([{ id_hash: hash(page.uid) }]);
    } finally {
      await remove();
      await sql`drop table named`.execute(store);
    }
  });

  test('that cannot be finished stores no session and no code, uses its challenge up, and answers with a problem', async () => {
    const { email, key } = await enrolPerson(server);
    const client = await CliClient.create(server.origin);
    const path = await client.authorizationPath();
    const first = await SignIn.openPath(new Browser(server.origin), client, path);
    const second = await SignIn.openPath(new Browser(server.origin), client, path);
    await first.code(key);
    const options = await second.options();
    await expectProblem(await second.post('verify', key.get(options)), 410, 'interaction-over');
    const { store } = server.context;
    const sessions = await store
      .selectFrom('sessions')
      .innerJoin('people', 'people.id', 'sessions.person_id')
      .where('people.email', '=', email)
      .select('sessions.revoked_at')
      .execute();
    expect(sessions).toEqual([{ revoked_at: null }]);
    const codes = await store
      .selectFrom('oidc_payloads')
      .where('model', '=', 'AuthorizationCode')
      .select('payload')
      .execute();
    expect(codes.filter(({ payload }) => payload.includes(email))).toHaveLength(1);
    await expectProblem(await second.post('verify', key.get(options)), 403, 'challenge-used');
  });

  test('leads to one code even when its pages were opened long ago', async () => {
    const { key } = await enrolPerson(server);
    const client = await CliClient.create(server.origin);
    const path = await client.authorizationPath();
    const first = await SignIn.openPath(new Browser(server.origin), client, path);
    const second = await SignIn.openPath(new Browser(server.origin), client, path);
    moveClock(server, 9 * 60_000);
    await first.code(key);
    await expectProblem(await second.touch(key), 410, 'interaction-over');
  });

  test('is cancelled once', async () => {
    const page = await SignIn.open(server.origin);
    const answers = await Promise.all(Array.from({ length: 5 }, () => page.post('cancel')));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    await expectProblem(await page.post('cancel'), 410, 'interaction-over');
  });
});

describe('the words of a sign-in', () => {
  const pushedWords = async (client: CliClient) => {
    const { words } = (await (await client.push()).json()) as { words: string };
    return words;
  };

  test('are the same for the terminal and for the page', async () => {
    const client = await CliClient.create(server.origin);
    const words = await pushedWords(client);
    expect(words).toMatch(/^[a-z]+ [a-z]+ [a-z]+$/);
    const page = await SignIn.openPath(new Browser(server.origin), client, await client.authorizationPath());
    expect(await jsonOf(await page.browser.get(`/login/${page.uid}/details`))).toMatchObject({ words });
  });

  test('differ for another login, and for another server', async () => {
    const other = await startServer();
    try {
      const client = await CliClient.create(server.origin);
      const seen = new Set([await pushedWords(client), await pushedWords(await CliClient.create(server.origin))]);
      const response = await fetch(`${other.origin}/request`, {
        method: 'POST',
        body: new URLSearchParams(client.parameters()),
      });
      seen.add(((await response.json()) as { words: string }).words);
      expect(seen.size).toBe(3);
    } finally {
      await other.close();
    }
  });
});

describe('a sign-in page', () => {
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

  test('prompt=none is answered with login_required', async () => {
    const { email, key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    await page.code(key);
    const client = await CliClient.create(server.origin);
    const response = await page.browser.get(await client.authorizationPath({ prompt: 'none' }));
    const url = new URL(response.headers.get('location') ?? '');
    expect(url.searchParams.get('error')).toBe('login_required');
    expect(url.searchParams.get('code')).toBeNull();
    expect(await sessionsOf(email)).toBe(1);
  });
});

describe('the session', () => {
  test('ends the configured number of hours after the touch, not after the code was redeemed', async () => {
    const { key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    const answer = key.get(await page.options());
    const touched = Math.floor((Date.now() - 40_000) / 1000);
    const { now } = server.context;
    server.context.now = () => touched * 1000 + 999;
    const verified = await page.post('verify', answer);
    server.context.now = now;
    const code = (await callbackOf(verified)).searchParams.get('code') ?? '';
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
