import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { createApp } from '../../../server/app.ts';
import { Readiness } from '../../../server/health/readiness.ts';
import { SessionWatch } from '../../../server/sessions/session-watch.ts';
import { Browser } from '../browser.ts';
import { CliClient } from '../cli-client.ts';
import { SoftKey } from '../soft-key.ts';
import {
  callbackOf,
  Enrolment,
  enrolPerson,
  expectProblem,
  inviteCode,
  jsonOf,
  SignIn,
  startServer,
  type TestServer,
} from '../support.ts';

let server: TestServer;
let host: string;
beforeAll(async () => {
  server = await startServer();
  ({ host } = new URL(server.origin));
});
afterAll(() => server.close());

test('a request’s ID is the server’s own, whatever the client sends: nobody gives two requests one ID', async () => {
  const { email, key } = await enrolPerson(server);
  const page = await SignIn.open(server.origin);
  const answer = key.get(await page.options());
  const sent = 'r'.repeat(36);
  const response = await page.browser.post(`/login/${page.uid}/verify`, answer, { 'x-request-id': sent });
  expect(response.status).toBe(200);
  const id = response.headers.get('x-request-id');
  expect(id).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  const row = server.context.store.selectFrom('audit').where('subject', '=', email).where('event', '=', 'signed-in');
  expect(await row.select('request_id').execute()).toEqual([{ request_id: id }]);
});

/** Sends a request exactly as given, because `fetch` leaves out some headers. */
function raw(
  path: string,
  options: { method?: string; headers?: Record<string, string | string[]>; body?: string | Buffer } = {},
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(server.origin);
    const headers = { host, ...options.headers };
    const sent = request({ host: '127.0.0.1', port, path, method: options.method ?? 'GET', headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('end', () => {
        const pairs = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
        const body = chunks.length === 0 ? null : Buffer.concat(chunks);
        resolve(new Response(body, { status: answer.statusCode ?? 0, headers: pairs }));
      });
    });
    sent.once('error', reject);
    sent.end(options.body);
  });
}

describe('a request is refused', () => {
  test('by the OAuth endpoints when it is long, or does not say how long it is', async () => {
    const stored = () => server.context.store.selectFrom('oidc_payloads').selectAll().execute();
    const before = await stored();
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = `client_id=vouch-cli&state=${'x'.repeat(17 * 1024)}`;
    for (const path of ['/request', '/token']) {
      const long = { ...form, 'content-length': String(body.length) };
      await expectProblem(await raw(path, { method: 'POST', body, headers: long }), 413, 'bad-request');
      const unsaid = { ...form, 'transfer-encoding': 'chunked' };
      await expectProblem(await raw(path, { method: 'POST', body: 'a=b', headers: unsaid }), 413, 'bad-request');
    }
    expect(await stored()).toEqual(before);
  });

  const hosts = ['evil.example', 'localhost', '127.0.0.1', 'localhost:1', `${'x'.repeat(100)}.example`, ''];
  for (const name of hosts) {
    test(`for host ${JSON.stringify(name.slice(0, 20))}`, async () => {
      for (const path of ['/enroll', '/jwks', '/.well-known/openid-configuration', '/api/session', '/login/over']) {
        const response = await raw(path, { headers: { host: name, 'x-forwarded-host': host } });
        await expectProblem(response, 421, 'misdirected-request');
      }
    });
  }

  test('for two hosts, even if one of them or both are right', async () => {
    const lists = [
      [host, 'evil.example'],
      ['evil.example', host],
      [host, host],
      [host, ''],
    ];
    for (const hosts of lists) {
      const { port } = new URL(server.origin);
      const socket = connect(Number(port), '127.0.0.1');
      const lines = hosts.map((name, index) => `${index === 0 ? 'Host' : 'hOST'}: ${name}\r\n`).join('');
      socket.end(`GET /.well-known/openid-configuration HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`);
      let answer = '';
      for await (const chunk of socket) answer += chunk;
      expect(answer).toMatch(/^HTTP\/1.1 400 .*urn:vouch:problem:bad-request/s);
    }
  });

  test('from another origin, at our routes and at the provider’s', async () => {
    for (const origin of [
      'https://evil.example',
      'null',
      server.origin.replace('http:', 'https:'),
      `${server.origin}0`,
    ]) {
      for (const path of ['/enroll/start', '/login/x/verify', '/request', '/token', '/api/aws/token']) {
        const response = await raw(path, { method: 'POST', headers: { origin } });
        expect(response.headers.get('access-control-allow-origin')).toBeNull();
        await expectProblem(response, 403, 'bad-request');
      }
    }
  });

  test('when a page of another site asks first (CORS preflight)', async () => {
    for (const path of ['/token', '/request', '/jwks', '/api/session', '/enroll/start']) {
      const response = await raw(path, {
        method: 'OPTIONS',
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
      });
      expect(response.status).toBe(403);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  const json = { 'content-type': 'application/json' };
  const bodies: [string, string | Buffer, Record<string, string>, number][] = [
    ['of 65 KiB', JSON.stringify({ invitation: 'x'.repeat(65 * 1024) }), json, 413],
    ['that is not JSON', '{"invitation":', json, 400],
    ['that is empty', '', json, 400],
    ['that is a form', 'invitation=x', { 'content-type': 'application/x-www-form-urlencoded' }, 400],
    ['without a type', '{"invitation":"x"}', {}, 400],
    ['that is a list', '[{"invitation":"x"}]', json, 400],
    ['that is null', 'null', json, 400],
    ['that is text', '"x"', json, 400],
    ['of 30,000 nested lists', '['.repeat(30_000) + ']'.repeat(30_000), json, 400],
    ['of 4,000 nested objects', `${'{"invitation":'.repeat(4000)}1${'}'.repeat(4000)}`, json, 400],
    ['in an unknown character set', '{"invitation":"x"}', { 'content-type': 'application/json; charset=x' }, 415],
    ['in an unknown encoding', 'x', { ...json, 'content-encoding': 'x' }, 415],
    ['that only claims to be compressed', '{"invitation":"x"}', { ...json, 'content-encoding': 'gzip' }, 400],
    ['with the invitation in a prototype', '{"__proto__":{"invitation":"x"}}', json, 400],
    ['with the invitation in a constructor', '{"constructor":{"prototype":{"invitation":"x"}}}', json, 400],
  ];
  for (const [name, body, headers, status] of bodies) {
    test(`with a body ${name}`, async () => {
      const response = await raw('/enroll/start', { method: 'POST', body, headers });
      await expectProblem(response, status, 'bad-request');
      expect(({} as Record<string, unknown>).invitation).toBeUndefined();
    });
  }

  test('with a compressed body that is larger than it looks', async () => {
    const { gzipSync } = await import('node:zlib');
    const body = gzipSync(JSON.stringify({ invitation: 'x'.repeat(10_000_000) }));
    const headers = { ...json, 'content-encoding': 'gzip' };
    await expectProblem(await raw('/enroll/start', { method: 'POST', body, headers }), 413, 'bad-request');
  });

  test('with a header of 100 KB', async () => {
    // The server may close the connection while we are still writing.
    const status = await raw('/enroll', { headers: { 'x-large': 'x'.repeat(100_000) } }).then(
      (response) => response.status,
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect([431, 'ECONNRESET', 'EPIPE']).toContain(status);
    expect((await fetch(`${server.origin}/healthz`)).status).toBe(200);
  });

  test('that is not HTTP; and one that never ends its headers does not keep others waiting', async () => {
    const { port } = new URL(server.origin);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('\u0016\u0003\u0001 not http\r\n\r\n');
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.once('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 400/);
    const slow = connect(Number(port), '127.0.0.1');
    slow.write('GET / HTTP/1.1\r\nHost: ');
    expect((await fetch(`${server.origin}/healthz`)).status).toBe(200);
    slow.destroy();
  });
});

describe('an unknown path', () => {
  const requests: [string, string][] = [
    ['GET', '/admin'],
    ['GET', '/auth/nobody'],
    ['GET', '/session/end'],
    ['GET', '/me'],
    ['GET', '/token/introspection'],
    ['POST', '/reg'],
    ['GET', '/device'],
    ['GET', '/.well-known/other'],
    ['GET', '/assets/nothing.js'],
    ['GET', '/assets/..%2f..%2fserver%2fvouch-server.js'],
    ['GET', '/assets/../../package.json'],
    ['GET', '/login/..%2f..%2fpackage.json/x'],
    ['POST', '/healthz'],
    ['POST', '/api/session'],
    ['PUT', '/api/aws/token'],
    ['GET', '/api/aws/token'],
    ['GET', '/enroll/a/b'],
    ['DELETE', '/enroll/a/verify'],
    ['POST', '/enroll/__proto__'],
  ];
  for (const [method, path] of requests) {
    test(`${method} ${path} is a problem of type not-found`, async () => {
      await expectProblem(await raw(path, { method }), 404, 'not-found');
    });
  }

  test('is refused if it cannot be decoded', async () => {
    await expectProblem(await raw('/login/%E0%A4%A'), 400, 'bad-request');
  });

  test('or the wrong method at one of the provider’s paths is an error, never a page or a stack trace', async () => {
    for (const [method, path] of [
      ['GET', '/token'],
      ['GET', '/request'],
      ['DELETE', '/jwks'],
      ['POST', '/auth'],
      ['PUT', '/token'],
    ] as const) {
      const response = await raw(path, { method });
      expect([302, 303, 400, 404, 405]).toContain(response.status);
      expect(await response.text()).not.toMatch(/\bat .*\.js/);
    }
  });
});

describe('what a proxy or a stranger says about the host', () => {
  test('changes no URL that the server gives, if Host is right', async () => {
    const forged = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '1',
      'x-forwarded-prefix': '/evil',
      forwarded: 'host=evil.example;proto=https',
      'x-original-url': '/evil',
    };
    const plain = await (await raw('/.well-known/openid-configuration')).text();
    for (const headers of [forged, { ...forged, 'x-forwarded-host': ['evil.example', host] }]) {
      expect(await (await raw('/.well-known/openid-configuration', { headers })).text()).toBe(plain);
      const client = await CliClient.create(server.origin);
      const response = await raw(await client.authorizationPath(), { headers });
      expect(response.headers.get('location')).toMatch(/^\/login\/[\w-]+$/);
      // A DPoP proof for our own URL is still accepted (RFC 9449, section 4.3).
      const form = new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: 'vouch-cli',
        code: 'x',
      }).toString();
      const dpop = await client.proof('POST', '/token');
      const type = 'application/x-www-form-urlencoded';
      const sent = { ...headers, dpop, 'content-type': type, 'content-length': String(form.length) };
      const answer = await raw('/token', { method: 'POST', body: form, headers: sent });
      expect(await answer.json()).not.toMatchObject({ error: 'invalid_dpop_proof' });
    }
  });
});

describe('security headers', () => {
  async function answers(): Promise<[string, Response][]> {
    const page = await SignIn.open(server.origin);
    const client = await CliClient.create(server.origin);
    return [
      ['the sign-in page', await page.browser.get(`/login/${page.uid}`)],
      ['the enrolment page', await raw('/enroll/ticket')],
      ['the page after the sign-in', await raw('/signed-in')],
      ['JSON', await page.browser.get(`/login/${page.uid}/details`)],
      ['a problem', await raw('/api/session')],
      ['an unknown path', await raw('/nothing')],
      ['a wrong host', await raw('/enroll', { headers: { host: 'evil.example' } })],
      ['discovery', await raw('/.well-known/openid-configuration')],
      ['the key set', await raw('/jwks')],
      ['a pushed request', await client.push()],
      ['an OAuth error', await client.push({ code_challenge: undefined })],
      ['a redirect of the provider', await page.browser.get(await client.authorizationPath())],
      ['a request that is over', await raw('/auth?client_id=vouch-cli&request_uri=x')],
    ];
  }

  test('are on pages, JSON, problems and the provider’s answers', async () => {
    for (const [name, response] of await answers()) {
      const headers = Object.fromEntries(response.headers);
      expect({ name, ...headers }).toMatchObject({
        name,
        'content-security-policy':
          "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';" +
          "base-uri 'none';form-action 'none';frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'permissions-policy': 'publickey-credentials-get=(self), publickey-credentials-create=(self)',
      });
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(headers).not.toHaveProperty('server');
    }
  });

  test('keep personal data out of caches', async () => {
    for (const [name, response] of await answers()) {
      if (['discovery', 'the key set', 'a redirect of the provider'].includes(name)) continue;
      if (['a request that is over'].includes(name)) continue;
      expect([name, response.headers.get('cache-control')]).toEqual([name, expect.stringContaining('no-store')]);
    }
  });

  test('of an https issuer demand https, and no answer sets a cookie there either', async () => {
    const config = { ...server.context.config, issuer: 'https://vouch.example.com', local: false };
    const app = createApp(
      { ...server.context, config },
      {
        master: Buffer.alloc(32),
        watch: new SessionWatch(server.context),
        readiness: new Readiness(server.context.log),
      },
    );
    const listening = app.listen(0, '127.0.0.1');
    try {
      await new Promise((resolve) => listening.once('listening', resolve));
      const { port } = listening.address() as { port: number };
      const send = (path: string, method = 'GET', body = '') =>
        new Promise<{ headers: NodeJS.Dict<string | string[]>; text: string }>((resolve, reject) => {
          const sent = request(
            {
              port,
              host: '127.0.0.1',
              path,
              method,
              // A stranger's claim about the scheme must not count.
              headers: {
                host: 'vouch.example.com',
                'x-forwarded-for': '192.0.2.1',
                'x-forwarded-proto': 'http',
                'content-type': 'application/x-www-form-urlencoded',
              },
            },
            (answer) => {
              let text = '';
              answer.on('data', (chunk) => {
                text += chunk;
              });
              answer.once('end', () => resolve({ headers: answer.headers, text }));
            },
          );
          sent.once('error', reject);
          sent.end(body);
        });
      const page = await send('/enroll');
      expect(page.headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
      const discovery = JSON.parse((await send('/.well-known/openid-configuration')).text) as Record<string, string>;
      expect(discovery.token_endpoint).toBe('https://vouch.example.com/token');
      const client = await CliClient.create('https://vouch.example.com');
      const pushed = await send('/request', 'POST', new URLSearchParams(client.parameters()).toString());
      const { request_uri } = JSON.parse(pushed.text) as { request_uri: string };
      const opened = await send(`/auth?client_id=vouch-cli&request_uri=${request_uri}`);
      expect(opened.headers.location).toMatch(/^\/login\//);
      const { 'set-cookie': cookies } = opened.headers;
      expect(cookies).toBeUndefined();
    } finally {
      listening.close();
    }
  });

  test('no answer sets a cookie: cookies can be planted, and all ports of localhost share them', async () => {
    for (const [name, response] of await answers()) {
      expect([name, response.headers.getSetCookie()]).toEqual([name, []]);
    }
    const { email, key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    const touched = await page.touch(key);
    const tokens = await page.client.redeem((await callbackOf(touched)).searchParams.get('code') ?? '');
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    const ceremonies = [touched, tokens, await enrolment.post('open'), await enrolment.confirm(key)];
    ceremonies.push(await enrolment.register(new SoftKey(server.origin)));
    for (const response of ceremonies) {
      expect([response.url, response.status < 300, response.headers.getSetCookie()]).toEqual([response.url, true, []]);
    }
  });
});

test('the rate limit answers with a problem, and only to the one address', async () => {
  const hasty = new Browser(server.origin);
  const responses = await Promise.all(
    Array.from({ length: 70 }, () => hasty.post('/enroll/start', { invitation: 'garbage' })),
  );
  const limited = responses.filter((response) => response.status === 429);
  expect(limited).toHaveLength(10);
  for (const response of limited) await expectProblem(response, 429, 'too-many-requests');
  const patient = await new Browser(server.origin).post('/enroll/start', { invitation: 'garbage' });
  expect(patient.status).toBe(403);
});

test('a team that enrols from one address can still sign in', async () => {
  const team = new Browser(server.origin);
  const asked = await Promise.all(
    Array.from({ length: 1_300 }, () => team.post('/enroll/status', { poll: 'garbage' })),
  );
  expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([404]));
  const client = await CliClient.create(server.origin);
  const request = {
    method: 'POST',
    body: new URLSearchParams(client.parameters()),
    headers: { 'x-forwarded-for': team.address },
  };
  expect((await fetch(`${server.origin}/request`, request)).status).toBe(201);
});

test('the limit counts the 2^64 addresses of a /64 as one, and an IPv4 address as one in each of its forms', async () => {
  const sources: [string, (index: number) => string, number][] = [
    ['one /64', (index) => `2001:db8:7:8:${index}::${index}`, 10],
    ['with ports', (index) => (index % 2 ? `[2001:db8:9::1]:${index}` : '2001:DB8:9::1'), 10],
    ['mapped', (index) => (index % 2 ? '::ffff:198.51.100.9' : `198.51.100.9:${index}`), 10],
    ['of 70 networks', (index) => `2001:db8:a:${index}::1`, 0],
  ];
  for (const [name, address, limited] of sources) {
    const responses = await Promise.all(
      Array.from({ length: 70 }, (_, index) =>
        fetch(`${server.origin}/enroll/start`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-forwarded-for': address(index) },
          body: '{"invitation":"garbage"}',
        }),
      ),
    );
    expect([name, responses.filter(({ status }) => status === 429).length]).toEqual([name, limited]);
  }
});

test('health answers anyone, at any host', async () => {
  const response = await raw('/healthz', { headers: { host: '10.0.0.1:8080' } });
  expect(await jsonOf(response)).toEqual({ status: 'ok', version: manifest.version });
  expect(response.headers.get('cache-control')).toBe('no-store');
});
