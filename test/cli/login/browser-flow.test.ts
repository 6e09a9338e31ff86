import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer } from 'node:net';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type SignInPage, signIn } from '../../../cli/login/browser-flow.ts';
import { freePort } from '../../support/free-port.ts';
import { type FakeIssuer, startFakeIssuer } from './fake-issuer.ts';

let issuer: FakeIssuer;
beforeEach(async () => {
  issuer = await startFakeIssuer();
});
afterEach(() => issuer.close());

/** Signs in, and plays a browser that comes back to the listener at once. */
async function comeBack(change: (query: URLSearchParams) => void = () => {}) {
  let landed: Promise<string | null> = Promise.resolve(null);
  const session = signIn({
    server: issuer.url,
    signal: AbortSignal.timeout(20_000),
    onPage: () => {
      const request = issuer.pushed.at(-1);
      const query = new URLSearchParams({ code: 'the-code', state: request?.get('state') ?? '', iss: issuer.url });
      change(query);
      landed = fetch(`${request?.get('redirect_uri')}?${query}`, { redirect: 'manual' }).then(({ headers }) =>
        headers.get('location'),
      );
    },
  });
  const result = await session.then(
    (value) => ({ value, error: undefined }),
    (error: Error & { kind?: string; exitCode?: number }) => ({ value: undefined, error }),
  );
  return { ...result, landed: await landed };
}

/** The page that a sign-in opens, which is then given up. */
async function pageOf(): Promise<SignInPage> {
  const stop = new AbortController();
  let opened: SignInPage | undefined;
  const onPage = (page: SignInPage) => {
    opened = page;
    stop.abort(new Error('enough'));
  };
  const reason = await signIn({ server: issuer.url, signal: stop.signal, onPage }).catch((error: unknown) => error);
  if (opened === undefined) throw reason;
  return opened;
}

describe('signing in', () => {
  test('pushes PKCE S256, state and nonce, redeems the code with a DPoP proof, and gives the session', async () => {
    const { value, landed } = await comeBack();
    const request = issuer.pushed[0];
    const redeemed = issuer.redeemed[0];
    expect(Object.fromEntries(request ?? [])).toMatchObject({
      client_id: 'vouch-cli',
      response_type: 'code',
      scope: 'openid email',
      resource: `${issuer.url}/api`,
      code_challenge_method: 'S256',
      redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback$/),
    });
    const verifier = redeemed?.body.get('code_verifier') ?? '';
    expect(createHash('sha256').update(verifier).digest('base64url')).toBe(request?.get('code_challenge'));
    expect(redeemed?.body.get('code')).toBe('the-code');
    const proof = redeemed?.dpop ?? '';
    expect(decodeJwt(proof)).toMatchObject({ htm: 'POST', htu: `${issuer.url}/token` });
    const { x, y } = decodeProtectedHeader(proof).jwk ?? {};
    expect(value?.session).toMatchObject({
      issuer: issuer.url,
      accessToken: 'an-access-token',
      email: 'alice@example.com',
      key: { name: 'Work key', model: null },
      dpopKey: { x, y, d: expect.any(String) },
    });
    expect(landed).toBe(`${issuer.url}/signed-in`);
  });

  test('has the server’s keys before the browser comes back, and fetches them once', async () => {
    const session = signIn({
      server: issuer.url,
      signal: AbortSignal.timeout(20_000),
      onPage: () => {
        void vi
          .waitFor(() => expect(issuer.asked).toContain('GET /jwks'), 10_000)
          .then(() => {
            const request = issuer.pushed.at(-1);
            const query = new URLSearchParams({ code: 'c', state: request?.get('state') ?? '', iss: issuer.url });
            return fetch(`${request?.get('redirect_uri')}?${query}`, { redirect: 'manual' });
          });
      },
    });
    expect((await session).session.email).toBe('alice@example.com');
    expect(issuer.asked.filter((what) => what === 'GET /jwks')).toHaveLength(1);
    expect(issuer.asked.indexOf('GET /jwks')).toBeLessThan(issuer.asked.indexOf('POST /token'));
  });

  test('does without the early keys if they cannot be had', async () => {
    issuer.failOnce = 'GET /jwks';
    expect((await comeBack()).value?.session.email).toBe('alice@example.com');
  });

  test.each([
    [true, true],
    [false, false],
    [undefined, false],
    ['yes', false],
  ])('passes on whether the server advises a spare key: %j', async (suggestSpare, advised) => {
    issuer.wrong = { session: { suggestSpare } };
    expect((await comeBack()).value?.suggestSpare).toBe(advised);
    expect(issuer.asked.filter((what) => what.startsWith('GET /api/'))).toEqual(['GET /api/session']);
  });

  test('every sign-in has its own state, nonce, verifier and key', async () => {
    const [one, two] = [(await comeBack()).value, (await comeBack()).value];
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(issuer.pushed[0]?.get(name)).not.toBe(issuer.pushed[1]?.get(name));
    }
    expect(one?.session.dpopKey.x).not.toBe(two?.session.dpopKey.x);
  });

  test('returns the words that the page shows', async () => {
    const told: unknown[] = [];
    const signal = AbortSignal.timeout(20_000);
    const session = signIn({
      server: issuer.url,
      signal,
      onPage: (page) => {
        told.push(page);
        const request = issuer.pushed.at(-1);
        const query = new URLSearchParams({ code: 'c', state: request?.get('state') ?? '', iss: issuer.url });
        void fetch(`${request?.get('redirect_uri')}?${query}`, { redirect: 'manual' });
      },
    });
    await session;
    expect(told).toEqual([{ url: expect.stringContaining(`${issuer.url}/auth?`), words: 'amber otter canyon' }]);
  });

  test('opens the short address that the server gives, as it was parsed', async () => {
    issuer.wrong = { pushed: { address: `${issuer.url}/s/k7mq3-xw92d` } };
    expect(await pageOf()).toEqual({ url: `${issuer.url}/s/k7mq3-xw92d`, words: 'amber otter canyon' });
    issuer.wrong = { pushed: { address: `${issuer.url}/s/\u001b]0;owned\u0007\n` } };
    expect((await pageOf()).url).toBe(`${issuer.url}/s/%1B]0;owned`);
  });

  test.each([
    [{ allowed: true }, true],
    [{ allowed: false }, false],
    [undefined, false],
  ])('tells whether the server also allows a sign-in by paste: %j', async (vouch_paste, allowed) => {
    issuer.wrong = { discovery: { vouch_paste } };
    const stop = new AbortController();
    const told: boolean[] = [];
    const onPage = (_page: SignInPage, _port: number, mayPaste: boolean) => {
      told.push(mayPaste);
      stop.abort(new Error('enough'));
    };
    await signIn({ server: issuer.url, signal: stop.signal, onPage }).catch(() => {});
    expect(told).toEqual([allowed]);
  });

  test.each([
    null,
    '',
    7,
    {},
    '/s/k7mq3-xw92d',
    'https://evil.example/s/k7mq3-xw92d',
    'javascript:alert(1)',
    'http://alice:secret@HOST/s/k7mq3-xw92d',
    `http://HOST/s/${'x'.repeat(300)}`,
  ])('opens no page of a server whose short address is %j', async (address) => {
    const own = typeof address === 'string' ? address.replace('HOST', new URL(issuer.url).host) : address;
    issuer.wrong = { pushed: { address: own } };
    await expect(pageOf()).rejects.toMatchObject({ kind: 'not-a-vouch-server' });
  });

  test.each([
    undefined,
    null,
    '',
    ' ',
    7,
    ['amber'],
    'amber\u001b]0;owned\u0007',
    'amber\notter',
    'Touch it anyway!',
    'x'.repeat(65),
  ])('opens no page of a server whose words are %j', async (words) => {
    issuer.wrong = { pushed: { words } };
    const opened: unknown[] = [];
    const signal = AbortSignal.timeout(20_000);
    const session = signIn({ server: issuer.url, signal, onPage: (page) => opened.push(page) });
    await expect(session).rejects.toMatchObject({ kind: 'not-a-vouch-server' });
    expect(opened).toEqual([]);
  });

  const lies: [string, FakeIssuer['wrong']][] = [
    ['the ID token has another nonce', { idToken: { nonce: 'another' } }],
    ['the ID token is for another client', { idToken: { aud: 'another-client' } }],
    ['the ID token is another issuer’s', { idToken: { iss: 'https://evil.example' } }],
    ['the ID token has expired', { idToken: { exp: 1_000_000_000 } }],
    ['the ID token is signed by an unknown key', { foreignKey: true }],
    ['there is no ID token', { token: { id_token: undefined } }],
    ['the access token is not bound to our key', { token: { token_type: 'Bearer' } }],
    ['the session is another person’s', { session: { email: 'mallory@example.com' } }],
    ['the session has no end', { session: { expiresAt: 'never' } }],
    ['the end of the session is a number', { session: { expiresAt: 2100 } }],
    ['the end of the session is in a list', { session: { expiresAt: ['2100-01-01T00:00:00Z'] } }],
    ['there is no key', { session: { key: null } }],
    ['the name of the key is missing', { session: { key: { name: null } } }],
    ['there is no address', { session: { email: null } }],
  ];
  test.each(lies)('refuses when %s, and the page says that it did not finish', async (_what, wrong) => {
    issuer.wrong = wrong;
    const { error, landed } = await comeBack();
    expect(error?.name).toBe('Problem');
    expect([4, 5]).toContain(error?.exitCode);
    expect(landed).toBe(`${issuer.url}/signed-in?failed`);
  });

  test('refuses a discovery document of another issuer', async () => {
    issuer.wrong = { discovery: { issuer: 'https://evil.example' } };
    expect((await comeBack()).error).toMatchObject({ kind: 'not-a-vouch-server', exitCode: 4 });
    expect(issuer.pushed).toEqual([]);
  });

  test('a cancel in the browser is reported as one', async () => {
    const { error } = await comeBack((query) => {
      query.delete('code');
      query.set('error', 'access_denied');
    });
    expect(error).toMatchObject({ kind: 'cancelled', exitCode: 5 });
    expect(issuer.redeemed).toEqual([]);
  });

  test('a server that is not there is reported as unreachable', async () => {
    const server = `http://localhost:${await freePort()}`;
    const refused = signIn({ server, signal: AbortSignal.timeout(20_000), onPage: () => {} });
    await expect(refused).rejects.toMatchObject({ kind: 'server-unreachable', exitCode: 4 });
  });

  test('a browser that goes away after its callback does not keep the login', async () => {
    const session = signIn({
      server: issuer.url,
      signal: AbortSignal.timeout(20_000),
      onPage: () => {
        const request = issuer.pushed.at(-1);
        const uri = new URL(request?.get('redirect_uri') ?? '');
        const query = new URLSearchParams({ code: 'c', state: request?.get('state') ?? '', iss: issuer.url });
        const socket = connect(Number(uri.port), uri.hostname, () => {
          socket.write(`GET /callback?${query} HTTP/1.1\r\nHost: ${uri.host}\r\n\r\n`);
        });
        // The token endpoint answers when the browser's connection is closed on both sides.
        issuer.beforeToken = () =>
          new Promise((resolve) => {
            socket.once('close', () => resolve());
            socket.destroy();
          });
      },
    });
    expect((await session).session.email).toBe('alice@example.com');
  });

  test('a server that accepts and never answers does not keep a person who gives up', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const stop = new AbortController();
    const reason = new Error('enough');
    silent.once('connection', () => stop.abort(reason));
    const waiting = signIn({ server: `http://localhost:${port}`, signal: stop.signal, onPage: () => {} });
    await expect(waiting).rejects.toBe(reason);
    silent.close();
  });

  test('what the server sends about person and key cannot steer a terminal', async () => {
    const hostile = '\u001b]0;owned\u0007\u001b[31mred';
    issuer.wrong = { session: { key: { name: hostile, model: hostile.repeat(50) } } };
    const { value } = await comeBack();
    expect(JSON.stringify(value?.session.key)).not.toMatch(/\\u001b|\\u0007/);
    expect(value?.session.key.model?.length).toBeLessThanOrEqual(64);
  });

  test('a clock that is wrong is reported as that', async () => {
    issuer.date = new Date(Date.now() - 10 * 60_000);
    issuer.wrong = { tokenStatus: 400, token: { error: 'invalid_dpop_proof' } };
    expect((await comeBack()).error).toMatchObject({ kind: 'clock-skew', exitCode: 5 });
  });

  test('an abort ends the wait with its reason, and the listener with it', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const waiting = signIn({ server: issuer.url, signal: stop.signal, onPage: () => stop.abort(reason) });
    await expect(waiting).rejects.toBe(reason);
    await expect(fetch(issuer.pushed[0]?.get('redirect_uri') ?? '')).rejects.toThrow('fetch failed');
  });
});
