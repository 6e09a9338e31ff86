import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { decodeJwt, importJWK, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { issueToken } from '../../../server/aws/issue-token.ts';
import { findActiveSession } from '../../../server/sessions/sessions.ts';
import { type CliClient, newKeyPair, type ProofOptions } from '../cli-client.ts';
import { privateJwk } from '../private-key.ts';
import { addAudit } from '../rows.ts';
import type { SoftKey } from '../soft-key.ts';
import { enrolPerson, expectProblem, jsonOf, moveClock, signIn, startServer, type TestServer } from '../support.ts';
import { addTrigger } from '../triggers.ts';

const ROLE = 'arn:aws:iam::123456789012:role/VouchDeveloper';

let server: TestServer;
let email: string;
let key: SoftKey;
let client: CliClient;
let token: string;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

async function freshSession(): Promise<void> {
  ({ email, key } = await enrolPerson(server));
  ({ client, access_token: token } = await signIn(server.origin, key));
}

const askForToken = (role: unknown = ROLE) => client.api('POST', '/api/aws/token', token, { body: { role } });

async function issuedTokens(): Promise<number> {
  const rows = await server.context.store
    .selectFrom('audit')
    .where('event', '=', 'aws-token-issued')
    .where('subject', '=', email)
    .select('id')
    .execute();
  return rows.length;
}

describe('the ID token for AWS', () => {
  beforeAll(freshSession);

  test('has the claims of the contract and no others, lasts 60 seconds, and verifies against the key set', async () => {
    const before = Math.floor(Date.now() / 1000);
    const { token: idToken, expiresAt } = await jsonOf<{ token: string; expiresAt: string }>(await askForToken());
    const after = Date.now() / 1000;
    const { keys } = await jsonOf<{ keys: [Record<string, string>] }>(await fetch(`${server.origin}/jwks`));
    const { payload, protectedHeader } = await jwtVerify(idToken, await importJWK(keys[0], 'ES256'));
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'JWT', kid: keys[0].kid });
    const response = await client.api('GET', '/api/session', token);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const session = await jsonOf<{ authTime: string }>(response);
    expect(payload).toEqual({
      iss: server.origin,
      sub: email,
      aud: server.origin,
      iat: expect.any(Number),
      exp: Number(payload.iat) + 60,
      jti: expect.any(String),
      auth_time: Date.parse(session.authTime) / 1000,
      amr: ['hwk', 'user', 'mfa'],
      'https://aws.amazon.com/roles': [ROLE],
      'https://aws.amazon.com/tags': {
        principal_tags: { 'vouch:Email': [email], 'vouch:Domain': ['example.com'] },
        transitive_tag_keys: ['vouch:Email', 'vouch:Domain'],
      },
      'https://aws.amazon.com/source_identity': email,
    });
    expect(payload.iat).toBeGreaterThanOrEqual(before);
    expect(payload.iat).toBeLessThanOrEqual(after);
    expect(Date.parse(expiresAt)).toBe(Number(payload.exp) * 1000);
  });

  test('never ends after its session', async () => {
    const { expiresAt } = await jsonOf<{ expiresAt: string }>(await client.api('GET', '/api/session', token));
    const end = Date.parse(expiresAt);
    for (const left of [61_000, 60_000, 59_000, 20_000, 1000, 1]) {
      server.context.now = () => end - left;
      const { token: idToken } = await jsonOf<{ token: string }>(await askForToken());
      const { iat, exp } = decodeJwt(idToken) as { iat: number; exp: number };
      expect([left, exp]).toEqual([left, Math.min(iat + 60, end / 1000)]);
      expect(exp).toBeGreaterThan(iat);
    }
    moveClock(server, 0);
  });

  test('is not given when its audit row cannot be written', async () => {
    const remove = await addTrigger(server.context, 'before insert on audit', {
      when: "new.event = 'aws-token-issued'",
      fail: 'no room',
    });
    try {
      const response = await askForToken();
      expect(await response.clone().text()).not.toContain('eyJ');
      await expectProblem(response, 500, 'internal-error');
    } finally {
      await remove();
    }
    await jsonOf(await askForToken());
  });

  test('is not given for a session that was revoked after its proof had been checked', async () => {
    const { client: other, access_token } = await signIn(server.origin, key);
    const id = String(decodeJwt(access_token).sid);
    const session = await findActiveSession(server.context.store, id, Date.now());
    if (session === undefined) throw new Error('the session is not active');
    expect((await other.api('DELETE', '/api/session', access_token)).status).toBe(204);
    const before = await issuedTokens();
    const refused = issueToken(server.context, session, ROLE, { ip: '127.0.0.1', requestId: 'r-1' });
    await expect(refused).rejects.toMatchObject({ kind: 'session-over' });
    expect(await issuedTokens()).toBe(before);
  });

  test('is given before the revocation of its session or not at all, however close together they are', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { client: other, access_token } = await signIn(server.origin, key);
      const proofs = await Promise.all(
        Array.from({ length: 12 }, () => other.proof('POST', '/api/aws/token', { token: access_token })),
      );
      const end = await other.proof('DELETE', '/api/session', { token: access_token });
      const requests = proofs.map(
        (proof) => () => other.api('POST', '/api/aws/token', access_token, { proof, body: { role: ROLE } }),
      );
      requests.splice(round % 12, 0, () => other.api('DELETE', '/api/session', access_token, { proof: end }));
      const responses = await Promise.all(requests.map((send) => send()));
      const rows = await server.context.store
        .selectFrom('audit')
        .where('session_id', '=', String(decodeJwt(access_token).sid))
        .where('event', 'in', ['aws-token-issued', 'session-ended'])
        .orderBy('id')
        .select('event')
        .execute();
      const given = responses.filter((response) => response.status === 200);
      expect(rows.map(({ event }) => event)).toEqual([...given.map(() => 'aws-token-issued'), 'session-ended']);
    }
  });

  test('is given at most 300 times in 10 minutes to one session, and another session has its own count', async () => {
    const { client: other, access_token } = await signIn(server.origin, key);
    const ask = () => other.api('POST', '/api/aws/token', access_token, { body: { role: ROLE } });
    const sessionId = String(decodeJwt(access_token).sid);
    const rows = (count: number, at: number) =>
      addAudit(server.context.store, at, ...Array(count).fill({ event: 'aws-token-issued', actor: email, sessionId }));
    const now = Date.now();
    await rows(1000, now - 600_000);
    await rows(299, now - 400_000);
    server.context.now = () => now;
    await jsonOf(await ask());
    const response = await ask();
    expect(response.headers.get('retry-after')).toBe('200');
    await expectProblem(response, 429, 'too-many-requests');
    await jsonOf(await askForToken());
    server.context.now = () => now + 199_999;
    const last = await ask();
    expect(await last.clone().json()).toMatchObject({ detail: 'Wait 1 second, then try again.' });
    await expectProblem(last, 429, 'too-many-requests');
    moveClock(server, 201_000);
    await jsonOf(await ask());
  });

  test('is for the audience that VOUCH_AWS_AUDIENCE names', async () => {
    const other = await startServer({ VOUCH_AWS_AUDIENCE: 'sts.example' });
    try {
      const person = await enrolPerson(other);
      const signedIn = await signIn(other.origin, person.key);
      const response = await signedIn.client.api('POST', '/api/aws/token', signedIn.access_token, {
        body: { role: ROLE },
      });
      expect(decodeJwt((await jsonOf<{ token: string }>(response)).token).aud).toBe('sts.example');
    } finally {
      await other.close();
    }
  });

  test('is written to the audit table with role, jti and the seconds that it allows, but never itself', async () => {
    const { token: idToken } = await jsonOf<{ token: string }>(await askForToken());
    const row = await server.context.store
      .selectFrom('audit')
      .where('event', '=', 'aws-token-issued')
      .orderBy('id', 'desc')
      .selectAll()
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ subject: email, key_id: key.id });
    expect(JSON.parse(row.detail)).toEqual({ role: ROLE, jti: decodeJwt(idToken).jti, seconds: 3600 });
  });

  const goodRoles = [
    'arn:aws-us-gov:iam::123456789012:role/VouchDeveloper',
    'arn:aws-cn:iam::123456789012:role/path/to/a+b=c,d.e@f-g_h',
  ];
  for (const role of goodRoles) {
    test(`is given for ${role}`, async () => {
      const { token: idToken } = await jsonOf<{ token: string }>(await askForToken(role));
      expect(decodeJwt(idToken)['https://aws.amazon.com/roles']).toEqual([role]);
    });
  }

  const badRoles = [
    'VouchDeveloper',
    'arn:aws:iam::123456789012:user/alice',
    'arn:aws:iam::12345678901:role/x',
    'arn:aws:iam::123456789012:role/',
    'arn:aws:iam::123456789012:role/*',
    `arn:aws:iam::123456789012:role/${'x'.repeat(65)}`,
    'arn:aws:sts::123456789012:assumed-role/x/y',
    'arn:aws:iam::123456789012:role/x y',
    'arn:aws:iam::123456789012:role/x"',
    'arn:evil:iam::123456789012:role/x',
    `arn:aws:iam::123456789012:role/${'a/'.repeat(300)}!`,
  ];
  for (const role of badRoles) {
    test(`is not given for ${role.slice(0, 60)}`, async () => {
      const before = await issuedTokens();
      await expectProblem(await askForToken(role), 400, 'role-refused');
      expect(await issuedTokens()).toBe(before);
    });
  }

  const noRoles: [string, unknown][] = [
    ['a list', [ROLE]],
    ['a number', 7],
    ['null', null],
    ['an object', { toString: ROLE }],
    ['empty text', ''],
    ['text of 641 characters', 'x'.repeat(641)],
    ['text with a line break', `${ROLE}\nx`],
  ];
  for (const [name, role] of noRoles) {
    test(`is not given for ${name}`, async () => {
      await expectProblem(await askForToken(role), 400, 'bad-request');
    });
  }
});

describe('a session that has ended: 401 session-over at every route', () => {
  beforeEach(freshSession);

  async function expectOver(reason?: string): Promise<void> {
    const members: Record<string, string> = reason === undefined ? {} : { reason };
    const before = await issuedTokens();
    const response = await client.api('GET', '/api/session', token);
    expect(response.headers.get('www-authenticate')).toContain('DPoP error="invalid_token"');
    await expectProblem(response, 401, 'session-over', members);
    await expectProblem(await askForToken(), 401, 'session-over', members);
    await expectProblem(await client.api('DELETE', '/api/session', token), 401, 'session-over', members);
    expect(await issuedTokens()).toBe(before);
  }

  test('signed out', async () => {
    expect((await client.api('DELETE', '/api/session', token)).status).toBe(204);
    await expectOver('signed-out');
    const rows = await server.context.store
      .selectFrom('audit')
      .where('event', '=', 'session-ended')
      .where('subject', '=', email)
      .select(['actor', 'reason'])
      .execute();
    expect(rows).toEqual([{ actor: email, reason: 'signed-out' }]);
  });

  test('revoked', async () => {
    const { sid } = decodeJwt(token);
    await server.context.store.updateTable('sessions').set({ revoked_at: 1 }).where('id', '=', String(sid)).execute();
    await expectOver();
  });

  test('expired', async () => {
    moveClock(server, 8 * 3600_000);
    await expectOver('expired');
  });

  test('the person is disabled', async () => {
    await server.context.store.updateTable('people').set({ disabled_at: 1 }).where('email', '=', email).execute();
    await expectOver('person-disabled');
  });

  test('the key is removed', async () => {
    await server.context.store.updateTable('keys').set({ removed_at: 1 }).where('id', '=', key.id).execute();
    await expectOver('key-removed');
  });

  test('the person’s end date has come: then the session ends, although it would last for longer', async () => {
    const ends = Date.now() + 3600_000;
    await server.context.store.updateTable('people').set({ ends_at: ends }).where('email', '=', email).execute();
    ({ client, access_token: token } = await signIn(server.origin, key));
    const { expiresAt } = await jsonOf<{ expiresAt: string }>(await client.api('GET', '/api/session', token));
    expect(Date.parse(expiresAt)).toBe(ends);
    const later = ends + 3600_000;
    await server.context.store.updateTable('people').set({ ends_at: later }).where('email', '=', email).execute();
    moveClock(server, ends - Date.now());
    await expectOver('expired');
    moveClock(server, later - Date.now());
    await expectOver('end-date');
  });

  test('the session of another person goes on', async () => {
    const mine = { client, token };
    await freshSession();
    expect((await client.api('DELETE', '/api/session', token)).status).toBe(204);
    expect((await mine.client.api('GET', '/api/session', mine.token)).status).toBe(200);
  });
});

describe('an access token is refused', () => {
  beforeAll(freshSession);

  /** The real token with changes, signed by the server's key unless another is given. */
  async function forged(
    claims: Record<string, unknown>,
    how: { typ?: string; alg?: string; privateKey?: CryptoKey; kid?: string } = {},
  ): Promise<string> {
    const { keys, store } = server.context;
    const serverKey = async () => importJWK(await privateJwk(store, server.masterKey), 'ES256');
    return new SignJWT({ ...decodeJwt(token), ...claims })
      .setProtectedHeader({ alg: how.alg ?? 'ES256', typ: how.typ ?? 'at+jwt', kid: how.kid ?? keys.current().kid })
      .sign(how.privateKey ?? (await serverKey()));
  }

  async function expectRefused(wrong: string): Promise<void> {
    await expectProblem(await client.api('GET', '/api/session', wrong), 401, 'token-refused');
    const response = await client.api('POST', '/api/aws/token', wrong, { body: { role: ROLE } });
    await expectProblem(response, 401, 'token-refused');
    expect(await issuedTokens()).toBe(0);
  }

  test('but not if nothing is changed: what these tests forge is otherwise a good token', async () => {
    expect((await client.api('GET', '/api/session', await forged({}))).status).toBe(200);
  });

  const seconds = () => Math.floor(Date.now() / 1000);
  const wrong: [string, () => Promise<string>][] = [
    ['expired', () => forged({ exp: seconds() - 61 })],
    ['for another audience', () => forged({ aud: 'https://evil.example/api' })],
    ['for the client', () => forged({ aud: 'vouch-cli' })],
    ['of another issuer', () => forged({ iss: 'https://evil.example' })],
    ['that is not bound to a key', () => forged({ cnf: undefined })],
    ['that is bound to another key', () => forged({ cnf: { jkt: 'x'.repeat(43) } })],
    ['by an unknown key', async () => forged({}, { privateKey: (await newKeyPair()).privateKey })],
    [
      'by an unknown key with another kid',
      async () => forged({}, { privateKey: (await newKeyPair()).privateKey, kid: 'x' }),
    ],
    ['whose type is an ID token’s', () => forged({}, { typ: 'JWT' })],
    ['without a signature', async () => `${token.split('.').slice(0, 2).join('.')}.`],
    ['that is garbage', async () => 'a.b.c'],
    ['that is empty', async () => ''],
    [
      'of alg none',
      async () => {
        const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
        return `${part({ alg: 'none', typ: 'at+jwt', kid: server.context.keys.current().kid })}.${part(decodeJwt(token))}.`;
      },
    ],
  ];
  for (const [name, make] of wrong) {
    test(name, async () => expectRefused(await make()));
  }

  test('that is the ID token of the sign-in', async () => {
    const signedIn = await signIn(server.origin, key);
    client = signedIn.client;
    token = signedIn.access_token;
    await expectRefused(signedIn.id_token);
  });

  test('that is the ID token for AWS', async () => {
    const person = await enrolPerson(server);
    const signedIn = await signIn(server.origin, person.key);
    const response = await signedIn.client.api('POST', '/api/aws/token', signedIn.access_token, {
      body: { role: ROLE },
    });
    const { token: idToken } = await jsonOf<{ token: string }>(response);
    await expectProblem(await signedIn.client.api('GET', '/api/session', idToken), 401, 'token-refused');
  });

  test('as a Bearer token, with and without a proof', async () => {
    await expectProblem(await client.api('GET', '/api/session', token, { scheme: 'Bearer' }), 401, 'token-refused');
    const bare = await client.api('GET', '/api/session', token, { scheme: 'Bearer', proof: null });
    await expectProblem(bare, 401, 'token-refused');
  });

  test('of another person’s session, or of none', async () => {
    await expectProblem(
      await client.api('GET', '/api/session', await forged({ sub: 'eve@example.com' })),
      401,
      'session-over',
    );
    for (const sid of [randomUUID(), '', null, 7, { $ne: '' }, [decodeJwt(token).sid]]) {
      await expectProblem(await client.api('GET', '/api/session', await forged({ sid })), 401, 'session-over');
    }
  });

  test('when it is missing', async () => {
    const response = await fetch(`${server.origin}/api/session`);
    expect(response.headers.get('www-authenticate')).toContain('DPoP');
    await expectProblem(response, 401, 'token-refused');
  });
});

describe('a DPoP proof at the API is refused', () => {
  beforeAll(freshSession);

  const now = () => Math.floor(Date.now() / 1000);
  const wrong: [string, () => Promise<ProofOptions>][] = [
    ['for another method', async () => ({ htm: 'DELETE' })],
    ['for another path', async () => ({ htu: `${server.origin}/api/aws/token` })],
    ['for another server', async () => ({ htu: 'https://evil.example/api/session' })],
    ['for another token', async () => ({ token: 'another' })],
    ['by another key', async () => ({ key: await newKeyPair() })],
    ['by another key that shows the right one', async () => ({ key: await newKeyPair(), shown: client.key.publicJwk })],
    ['that is 6 minutes old', async () => ({ iat: now() - 360 })],
    ['from 6 minutes in the future', async () => ({ iat: now() + 360 })],
    ['whose type is not a proof’s', async () => ({ typ: 'at+jwt' })],
  ];
  for (const [name, how] of wrong) {
    test(name, async () => {
      const proof = await client.proof('GET', '/api/session', { token, ...(await how()) });
      await expectProblem(await client.api('GET', '/api/session', token, { proof }), 401, 'token-refused');
    });
  }

  test('with a blank jti', async () => {
    for (const jti of ['', ' ']) {
      const proof = await client.proof('GET', '/api/session', { token, jti });
      await expectProblem(await client.api('GET', '/api/session', token, { proof }), 401, 'token-refused');
    }
  });

  test('without the hash of the token', async () => {
    const proof = await client.proof('GET', '/api/session');
    await expectProblem(await client.api('GET', '/api/session', token, { proof }), 401, 'token-refused');
  });

  test('when there is none, or garbage, or two', async () => {
    const two = `${await client.proof('GET', '/api/session', { token })}, ${await client.proof('GET', '/api/session', { token })}`;
    for (const proof of [null, 'garbage', 'a.b.c', two, 'x'.repeat(9000)]) {
      await expectProblem(await client.api('GET', '/api/session', token, { proof }), 401, 'token-refused');
    }
  });

  test('when it comes again, or another with the same jti', async () => {
    const jti = randomUUID();
    const proof = await client.proof('GET', '/api/session', { token, jti });
    expect((await client.api('GET', '/api/session', token, { proof })).status).toBe(200);
    await expectProblem(await client.api('GET', '/api/session', token, { proof }), 401, 'token-refused');
    const again = await client.proof('GET', '/api/session', { token, jti, iat: now() - 1 });
    await expectProblem(await client.api('GET', '/api/session', token, { proof: again }), 401, 'token-refused');
  });

  test('when it comes 20 times at the same moment, all but once', async () => {
    const proof = await client.proof('POST', '/api/aws/token', { token });
    const before = await issuedTokens();
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => client.api('POST', '/api/aws/token', token, { proof, body: { role: ROLE } })),
    );
    expect(responses.filter((response) => response.status === 200)).toHaveLength(1);
    expect(responses.filter((response) => response.status === 401)).toHaveLength(19);
    expect(await issuedTokens()).toBe(before + 1);
  });

  test('but not because another client chose the same jti', async () => {
    const jti = randomUUID();
    const other = await signIn(server.origin, (await enrolPerson(server)).key);
    for (const [who, whose] of [
      [client, token],
      [other.client, other.access_token],
    ] as const) {
      const proof = await who.proof('GET', '/api/session', { token: whose, jti });
      expect((await who.api('GET', '/api/session', whose, { proof })).status).toBe(200);
    }
  });
});

describe('a request for a token', () => {
  beforeAll(freshSession);

  test('has its body read only if its session is open', async () => {
    const path = '/api/aws/token';
    const send = (body: string, type: string) =>
      fetch(server.origin + path, { method: 'POST', headers: { 'content-type': type }, body });
    await expectProblem(await send('{', 'application/json'), 401, 'token-refused');
    await expectProblem(await send('x'.repeat(100_000), 'application/json'), 401, 'token-refused');
    await expectProblem(await send('{}', 'application/json; charset=x'), 401, 'token-refused');

    const { port, host } = new URL(server.origin);
    const halfSent = request({
      host: '127.0.0.1',
      port,
      path,
      method: 'POST',
      headers: { host, 'content-length': 100 },
    });
    const status = new Promise((resolve, reject) => {
      halfSent.once('response', (response) => resolve(response.statusCode)).once('error', reject);
    });
    halfSent.write('{');
    expect(await status).toBe(401);
    halfSent.destroy();
  });

  test('is short, and JSON', async () => {
    const refused = (body: unknown) => client.api('POST', '/api/aws/token', token, { body });
    await expectProblem(await refused({ role: ROLE, more: 'x'.repeat(4096) }), 413, 'bad-request');
    await expectProblem(await refused([ROLE]), 400, 'bad-request');
    await jsonOf(await refused({ role: ROLE, more: 'x'.repeat(3900) }));
  });

  test('with two tokens is refused, whichever is the good one', async () => {
    const { port, host } = new URL(server.origin);
    for (const authorization of [
      [`DPoP ${token}`, 'DPoP x'],
      ['DPoP x', `DPoP ${token}`],
      [`DPoP ${token}`, `DPoP ${token}`],
    ]) {
      const dpop = await client.proof('GET', '/api/session', { token });
      const socket = connect(Number(port), '127.0.0.1');
      const lines = authorization.map((line) => `Authorization: ${line}\r\n`).join('');
      // Not ended: the server gives up requests of a client that has gone.
      socket.write(`GET /api/session HTTP/1.1\r\nHost: ${host}\r\n${lines}DPoP: ${dpop}\r\nConnection: close\r\n\r\n`);
      let answer = '';
      for await (const chunk of socket) answer += chunk;
      expect(answer).toMatch(/^HTTP\/1.1 401 .*urn:vouch:problem:token-refused/s);
    }
  });

  test('is one of at most 1,200 a minute from one address', async () => {
    const address = { 'x-forwarded-for': '192.0.2.77' };
    let status = 401;
    let count = 0;
    for (; status === 401 && count < 1300; count += 1) {
      const response = await fetch(`${server.origin}/api/session`, { headers: address });
      await response.arrayBuffer();
      ({ status } = response);
    }
    expect([status, count]).toEqual([429, 1201]);
    expect((await client.api('GET', '/api/session', token)).status).toBe(200);
  });
});

describe('a request in absolute form (RFC 9112, section 3.2.2)', () => {
  beforeAll(freshSession);

  const send = (target: string, headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) => {
      const { port, host } = new URL(server.origin);
      const sent = request({ host: '127.0.0.1', port, path: target, headers: { host, ...headers } }, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode));
      });
      sent.once('error', reject);
      sent.end();
    });
  const headers = async () => ({
    authorization: `DPoP ${token}`,
    dpop: await client.proof('GET', '/api/session', { token }),
  });

  test('is refused: it is meant for a proxy', async () => {
    expect(await send('/api/session', await headers())).toBe(200);
    expect(await send(`${server.origin}/api/session`, await headers())).toBe(421);
    expect(await send('http://evil.example/api/session', await headers())).toBe(421);
  });
});
