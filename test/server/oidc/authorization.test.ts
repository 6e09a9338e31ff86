import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Browser } from '../browser.ts';
import { CliClient, newKeyPair, type ProofOptions } from '../cli-client.ts';
import type { SoftKey } from '../soft-key.ts';
import {
  enrolPerson,
  expectOAuthError,
  expectProblem,
  jsonOf,
  moveClock,
  SignIn,
  signIn,
  startServer,
  type TestServer,
  type Tokens,
} from '../support.ts';

let server: TestServer;
let key: SoftKey;
beforeAll(async () => {
  server = await startServer();
  ({ key } = await enrolPerson(server));
});
afterAll(() => server.close());

async function countPayloads(model: string): Promise<number> {
  const rows = await server.context.store
    .selectFrom('oidc_payloads')
    .where('model', '=', model)
    .select('uid')
    .execute();
  return rows.length;
}

describe('discovery', () => {
  test('says what the server does, and nothing that it does not', async () => {
    const metadata = await jsonOf(await fetch(`${server.origin}/.well-known/openid-configuration`));
    expect(metadata).toMatchObject({
      issuer: server.origin,
      authorization_endpoint: `${server.origin}/auth`,
      token_endpoint: `${server.origin}/token`,
      jwks_uri: `${server.origin}/jwks`,
      pushed_authorization_request_endpoint: `${server.origin}/request`,
      require_pushed_authorization_requests: true,
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code'],
      code_challenge_methods_supported: ['S256'],
      dpop_signing_alg_values_supported: ['ES256'],
      id_token_signing_alg_values_supported: ['ES256'],
      token_endpoint_auth_methods_supported: ['none'],
      authorization_response_iss_parameter_supported: true,
    });
    for (const absent of ['userinfo_endpoint', 'end_session_endpoint', 'registration_endpoint']) {
      expect(metadata).not.toHaveProperty(absent);
    }
  });

  test('the key set holds one ES256 key and no private part', async () => {
    const { keys } = await jsonOf<{ keys: Record<string, string>[] }>(await fetch(`${server.origin}/jwks`));
    expect(keys).toHaveLength(1);
    expect(Object.keys(keys[0] ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    expect(keys[0]).toMatchObject({ kid: server.context.keys.current().kid, kty: 'EC', crv: 'P-256', alg: 'ES256' });
  });
});

describe('a pushed authorization request is refused', () => {
  const wrong: [string, Record<string, string | undefined>, number, string][] = [
    ['without PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 400, 'invalid_request'],
    ['with PKCE plain', { code_challenge_method: 'plain' }, 400, 'invalid_request'],
    ['with PKCE without a method, which means plain', { code_challenge_method: undefined }, 400, 'invalid_request'],
    ['with a code challenge that is not a hash', { code_challenge: 'short' }, 400, 'invalid_request'],
    ['to another host', { redirect_uri: 'http://evil.example/callback' }, 400, 'invalid_request'],
    ['to another path', { redirect_uri: 'http://127.0.0.1:49152/other' }, 400, 'invalid_request'],
    ['to https', { redirect_uri: 'https://127.0.0.1:49152/callback' }, 400, 'invalid_request'],
    ['to localhost, which is a name', { redirect_uri: 'http://localhost:49152/callback' }, 400, 'invalid_request'],
    ['to a user name', { redirect_uri: 'http://a@127.0.0.1:49152/callback' }, 400, 'invalid_request'],
    [
      'to a host that starts the same',
      { redirect_uri: 'http://127.0.0.1.evil.example/callback' },
      400,
      'invalid_request',
    ],
    ['to a query', { redirect_uri: 'http://127.0.0.1:49152/callback?a=b' }, 400, 'invalid_request'],
    ['to a fragment', { redirect_uri: 'http://127.0.0.1:49152/callback#a' }, 400, 'invalid_request'],
    ['to nowhere', { redirect_uri: undefined }, 400, 'invalid_request'],
    ['of an unknown client', { client_id: 'somebody' }, 401, 'invalid_client'],
    ['of no client', { client_id: undefined }, 400, 'invalid_request'],
    ['for an implicit token', { response_type: 'token' }, 400, 'unsupported_response_type'],
    ['for an ID token in the front channel', { response_type: 'code id_token' }, 400, 'unsupported_response_type'],
    ['for another resource', { resource: 'https://evil.example' }, 400, 'invalid_target'],
    ['with a machine name that is too long', { machine: 'x'.repeat(65) }, 400, 'invalid_request'],
    ['with a machine name that reverses the text', { machine: 'laptop\u202e' }, 400, 'invalid_request'],
    ['with a machine name of two lines', { machine: 'laptop\nof Bob' }, 400, 'invalid_request'],
    ['with an invisible machine name', { machine: '\u3164\u115f' }, 400, 'invalid_request'],
    ['with a machine name of spaces', { machine: '   ' }, 400, 'invalid_request'],
    ['with the answer as a form', { response_mode: 'form_post' }, 400, 'unsupported_response_mode'],
    ['with the answer in a fragment', { response_mode: 'fragment' }, 400, 'unsupported_response_mode'],
    ['with the answer as a message', { response_mode: 'web_message' }, 400, 'unsupported_response_mode'],
    ['with the answer as a JWT', { response_mode: 'query.jwt' }, 400, 'unsupported_response_mode'],
    ['with an unknown prompt', { prompt: 'x'.repeat(600) }, 400, 'invalid_request'],
    ['with an ID token as a hint', { id_token_hint: 'x' }, 400, 'invalid_request'],
    ['with a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 400, 'request_not_supported'],
    ['with a state that is not ASCII', { state: 'ä' }, 400, 'invalid_request'],
    ['with a nonce of two lines', { nonce: 'a\r\nb' }, 400, 'invalid_request'],
    ...[
      'state',
      'nonce',
      'scope',
      'claims_locales',
      'display',
      'login_hint',
      'ui_locales',
      'acr_values',
      'max_age',
    ].map((name): [string, Record<string, string>, number, string] => [
      `with a ${name} of 513 characters`,
      { [name]: '1'.repeat(513) },
      400,
      'invalid_request',
    ]),
  ];
  for (const [name, changes, status, error] of wrong) {
    test(name, async () => {
      const before = await countPayloads('PushedAuthorizationRequest');
      const client = await CliClient.create(server.origin);
      await expectOAuthError(await client.push(changes), status, error);
      expect(await countPayloads('PushedAuthorizationRequest')).toBe(before);
    });
  }
});

test('the longest request that is accepted takes little storage', async () => {
  const client = await CliClient.create(server.origin);
  const page = await SignIn.openPath(
    new Browser(server.origin),
    client,
    await client.authorizationPath({ state: 's'.repeat(512), nonce: '"'.repeat(512), response_mode: 'query' }),
  );
  expect((await page.callback(key)).searchParams.get('state')).toBe('s'.repeat(512));
  await expectProblem(await client.push({ unknown: 'x'.repeat(4096) }), 413, 'bad-request');
  const rows = await server.context.store.selectFrom('oidc_payloads').select('payload').execute();
  for (const { payload } of rows) expect(payload.length).toBeLessThan(4096);
});

test('a parameter of the URL that was not pushed is not stored', async () => {
  const client = await CliClient.create(server.origin);
  for (const name of [
    'state',
    'nonce',
    'machine',
    'login_hint',
    'ui_locales',
    'acr_values',
    'response_mode',
    'unknown',
  ]) {
    const before = await server.context.store.selectFrom('oidc_payloads').select('id_hash').execute();
    const path = await client.authorizationPath({ state: undefined, nonce: undefined, machine: undefined });
    await new Browser(server.origin).get(`${path}&${name}=${'x'.repeat(4000)}`);
    const rows = await server.context.store.selectFrom('oidc_payloads').select(['id_hash', 'payload']).execute();
    const known = new Set(before.map((row) => row.id_hash));
    for (const { id_hash, payload } of rows) if (!known.has(id_hash)) expect(payload).not.toContain('xxxx');
  }
});

describe('an authorization request', () => {
  test('that was not pushed starts nothing', async () => {
    const client = await CliClient.create(server.origin);
    const before = await countPayloads('Interaction');
    const response = await new Browser(server.origin).get(`/auth?${new URLSearchParams(client.parameters())}`);
    expect(response.headers.get('location')).not.toMatch(/\/login\/(?!over)/);
    expect(response.headers.get('location')).not.toContain('code=');
    expect(await countPayloads('Interaction')).toBe(before);
  });

  test('with a request_uri that nobody pushed starts nothing', async () => {
    const before = await countPayloads('Interaction');
    for (const uri of ['urn:ietf:params:oauth:request_uri:nobody', 'https://evil.example/request', '', '%00']) {
      const path = `/auth?client_id=vouch-cli&request_uri=${uri}`;
      const response = await new Browser(server.origin).get(path);
      expect([response.status, response.headers.get('location')]).toEqual([302, '/login/over']);
    }
    expect(await countPayloads('Interaction')).toBe(before);
  });

  test('is used once: after the code, its request_uri starts nothing', async () => {
    const client = await CliClient.create(server.origin);
    const path = await client.authorizationPath();
    await (await SignIn.openPath(new Browser(server.origin), client, path)).code(key);
    const before = await countPayloads('Interaction');
    const again = await new Browser(server.origin).get(path);
    expect(again.headers.get('location')).toBe('/login/over');
    expect(await countPayloads('Interaction')).toBe(before);
  });

  test('opened in two browsers leads to one code', async () => {
    const client = await CliClient.create(server.origin);
    const path = await client.authorizationPath();
    const first = await SignIn.openPath(new Browser(server.origin), client, path);
    const second = await SignIn.openPath(new Browser(server.origin), client, path);
    await first.code(key);
    await expectProblem(await second.touch(key), 410, 'interaction-over');
  });

  test('is forgotten after 11 minutes', async () => {
    const client = await CliClient.create(server.origin);
    const path = await client.authorizationPath();
    moveClock(server, 11 * 60_000 + 1000);
    expect((await new Browser(server.origin).get(path)).headers.get('location')).toBe('/login/over');
  });
});

describe('a code', () => {
  async function freshCode(): Promise<{ client: CliClient; code: string }> {
    const page = await SignIn.open(server.origin);
    return { client: page.client, code: await page.code(key) };
  }

  test('used twice is refused the second time, and the session that it gave is over', async () => {
    const { client, code, access_token } = await signIn(server.origin, key);
    expect((await client.api('GET', '/api/session', access_token)).status).toBe(200);
    await expectOAuthError(await client.redeem(code), 400, 'invalid_grant');
    await expectProblem(await client.api('GET', '/api/session', access_token), 401, 'session-over', {
      reason: 'code-replayed',
    });
  });

  /** What an attacker can send after seeing only the code. */
  const strangers: [string, (client: CliClient, code: string) => Promise<Response>][] = [
    ['without its verifier', (client, code) => client.redeem(code, { code_verifier: undefined })],
    ['with another verifier', (client, code) => client.redeem(code, { code_verifier: 'x'.repeat(43) })],
    [
      'with another verifier and another key',
      async (_client, code) => {
        const stranger = await CliClient.create(server.origin);
        return stranger.redeem(code);
      },
    ],
    ['without a proof', (client, code) => client.redeem(code, { code_verifier: 'x'.repeat(43) }, null)],
  ];
  test.each(strangers)(
    'sent again %s is refused, and ends no session: an attacker may have seen the code',
    async (_how, replay) => {
      const { client, code, access_token } = await signIn(server.origin, key);
      expect((await replay(client, code)).status).toBe(400);
      expect((await client.api('GET', '/api/session', access_token)).status).toBe(200);
    },
  );

  test.each(strangers)(
    'sent first %s is refused, and stays good for the client with its verifier',
    async (_how, replay) => {
      const { client, code } = await freshCode();
      expect((await replay(client, code)).status).toBe(400);
      expect((await client.redeem(code)).status).toBe(200);
    },
  );

  test('sent again with its verifier after its minute is refused, and ends nothing', async () => {
    const { client, code, access_token } = await signIn(server.origin, key);
    moveClock(server, 61_000);
    await expectOAuthError(await client.redeem(code), 400, 'invalid_grant');
    const proof = await client.proof('GET', '/api/session', {
      token: access_token,
      iat: Math.floor(server.context.now() / 1000),
    });
    expect((await client.api('GET', '/api/session', access_token, { proof })).status).toBe(200);
  });

  const refused: [string, Record<string, string | undefined>, number, string][] = [
    ['without a verifier', { code_verifier: undefined }, 400, 'invalid_grant'],
    ['with another verifier', { code_verifier: 'x'.repeat(43) }, 400, 'invalid_grant'],
    ['with the challenge as the verifier', { code_verifier: 'CHALLENGE' }, 400, 'invalid_grant'],
    ['with another redirect_uri', { redirect_uri: 'http://127.0.0.1:1/callback' }, 400, 'invalid_grant'],
    ['without a redirect_uri', { redirect_uri: undefined }, 400, 'invalid_request'],
    ['of another client', { client_id: 'somebody' }, 401, 'invalid_client'],
    ['that was never issued', { code: 'x'.repeat(43) }, 400, 'invalid_grant'],
    ['as a refresh token', { grant_type: 'refresh_token', refresh_token: 'x' }, 400, 'unsupported_grant_type'],
    ['as client credentials', { grant_type: 'client_credentials' }, 400, 'unsupported_grant_type'],
    ['for another resource', { resource: 'https://evil.example' }, 400, 'invalid_target'],
  ];
  for (const [name, changes, status, error] of refused) {
    test(`${name} is refused`, async () => {
      const { client, code } = await freshCode();
      if (changes.code_verifier === 'CHALLENGE') {
        changes.code_verifier = createHash('sha256').update(client.verifier).digest('base64url');
      }
      await expectOAuthError(await client.redeem(code, changes), status, error);
    });
  }

  test('expires after a minute', async () => {
    const { client, code } = await freshCode();
    moveClock(server, 61_000);
    await expectOAuthError(await client.redeem(code), 400, 'invalid_grant');
  });

  test('of a session that has been ended since gives no token, and only the log knows why', async () => {
    const { client, code } = await freshCode();
    const { store, log } = server.context;
    const ended = { revoked_at: 1, end_reason: 'ended-by-administrator' } as const;
    await store.updateTable('sessions').set(ended).where('revoked_at', 'is', null).execute();
    const logged = vi.spyOn(log, 'info');
    onTestFinished(() => logged.mockRestore());
    const response = await client.redeem(code);
    expect(await response.clone().text()).not.toContain('ended-by');
    await expectOAuthError(response, 400, 'invalid_grant');
    expect(logged.mock.calls).toContainEqual([
      {
        error: 'invalid_grant',
        reason: 'the session is not active (ended-by-administrator)',
        id: response.headers.get('x-request-id'),
      },
      'OAuth request refused',
    ]);
  });
});

describe('a DPoP proof at the token endpoint is refused', () => {
  const now = () => Math.floor(Date.now() / 1000);
  const wrong: [string, (client: CliClient) => Promise<ProofOptions>][] = [
    ['for another method', async () => ({ htm: 'GET' })],
    ['for another path', async (client) => ({ htu: `${client.origin}/api/session` })],
    ['for another server', async () => ({ htu: 'https://evil.example/token' })],
    ['that is 6 minutes old', async () => ({ iat: now() - 360 })],
    ['from 6 minutes in the future', async () => ({ iat: now() + 360 })],
    ['whose type is not a proof’s', async () => ({ typ: 'JWT' })],
    ['that is signed by a key other than the one it shows', async () => ({ shown: (await newKeyPair()).publicJwk })],
  ];
  for (const [name, how] of wrong) {
    test(name, async () => {
      const page = await SignIn.open(server.origin);
      const code = await page.code(key);
      const proof = await page.client.proof('POST', '/token', await how(page.client));
      await expectOAuthError(await page.client.redeem(code, {}, proof), 400, 'invalid_dpop_proof');
      // That does not use up the code.
      await jsonOf(await page.client.redeem(code));
    });
  }

  test('when there is none', async () => {
    const page = await SignIn.open(server.origin);
    const code = await page.code(key);
    const response = await page.client.redeem(code, {}, null);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error: string }).error).toMatch(/^invalid_(grant|dpop_proof|request)$/);
  });

  test('that is garbage', async () => {
    const page = await SignIn.open(server.origin);
    const code = await page.code(key);
    await expectOAuthError(await page.client.redeem(code, {}, 'a.b.c'), 400, 'invalid_dpop_proof');
  });

  test('that has been used for another code', async () => {
    const proofOf = (client: CliClient, jti: string) => client.proof('POST', '/token', { jti });
    const jti = randomUUID();
    const first = await SignIn.open(server.origin);
    await jsonOf(await first.client.redeem(await first.code(key), {}, await proofOf(first.client, jti)));
    const second = await SignIn.open(server.origin);
    const response = await second.client.redeem(await second.code(key), {}, await proofOf(second.client, jti));
    expect(response.status).toBe(400);
  });

  test('by a key other than the one that the request was pushed with', async () => {
    const client = await CliClient.create(server.origin);
    const jkt = await (await import('jose')).calculateJwkThumbprint(client.key.publicJwk);
    const page = await SignIn.openPath(
      new Browser(server.origin),
      client,
      await client.authorizationPath({ dpop_jkt: jkt }),
    );
    const code = await page.code(key);
    const stolen = await client.proof('POST', '/token', { key: await newKeyPair() });
    await expectOAuthError(await client.redeem(code, {}, stolen), 400, 'invalid_grant');
  });
});

describe('the revocation endpoint (RFC 7009)', () => {
  const revoke = (fields: Record<string, string>) =>
    fetch(`${server.origin}/token/revocation`, { method: 'POST', body: new URLSearchParams(fields) });

  test('ends the session behind an access token, and does so twice without complaint', async () => {
    const { client, access_token } = await signIn(server.origin, key);
    expect((await client.api('GET', '/api/session', access_token)).status).toBe(200);
    expect((await revoke({ token: access_token, client_id: 'vouch-cli' })).status).toBe(200);
    await expectProblem(await client.api('GET', '/api/session', access_token), 401, 'session-over', {
      reason: 'signed-out',
    });
    expect((await revoke({ token: access_token, client_id: 'vouch-cli' })).status).toBe(200);
  });

  test('treats a token that is not ours like an expired one, and ends nothing', async () => {
    const { client, access_token } = await signIn(server.origin, key);
    const forged = `${access_token.slice(0, -8)}AAAAAAAA`;
    for (const token of [forged, 'nonsense', 'x'.repeat(9_000)]) {
      expect((await revoke({ token, client_id: 'vouch-cli' })).status).toBe(200);
    }
    expect((await client.api('GET', '/api/session', access_token)).status).toBe(200);
  });

  test('refuses other clients, and requests that have no token or are too large', async () => {
    await expectOAuthError(await revoke({ token: 'x', client_id: 'another' }), 401, 'invalid_client');
    await expectOAuthError(await revoke({ token: 'x' }), 401, 'invalid_client');
    await expectOAuthError(await revoke({ client_id: 'vouch-cli' }), 400, 'invalid_request');
    expect((await revoke({ token: 'x'.repeat(20_000), client_id: 'vouch-cli' })).status).toBe(413);
  });
});

test('tokens come with nothing that outlives the session', async () => {
  const page = await SignIn.open(server.origin);
  const code = await page.code(key);
  const tokens = await jsonOf<Tokens & { refresh_token?: string }>(await page.client.redeem(code));
  expect(tokens.refresh_token).toBeUndefined();
  expect(tokens.expires_in).toBeLessThanOrEqual(8 * 3600);
});

test('what the log keeps of a refused proof is short and has no control characters', async () => {
  const client = await CliClient.create(server.origin);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const said = `\u009b2J\u202e${'x'.repeat(400)}`;
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: client.key.publicJwk, crit: [said], [said]: 1 };
  const log = vi.spyOn(server.context.log, 'info');
  await expectOAuthError(await client.redeem('a', {}, `${part(header)}.${part({})}.AA`), 400, 'invalid_dpop_proof');
  const lines = log.mock.calls.map(([line]) => line as { reason?: string });
  const reason = lines.find((line) => line.reason !== undefined)?.reason ?? '';
  log.mockRestore();
  expect(reason).toMatch(/ 2J x+$/);
  expect(reason.length).toBeLessThanOrEqual(300);
});
