import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../../server/config/config.ts';
import { freePort } from '../../support/free-port.ts';
import { caddyFile, nginxFile, type ProxyFile, startProxy } from '../stand-in-proxy.ts';
import { expectProblem, startServer, type TestServer } from '../support.ts';

const HOST = 'vouch.example.com';
const settings = { VOUCH_ISSUER: `https://${HOST}`, VOUCH_MASTER_KEY: randomBytes(32).toString('base64') };

let server: TestServer;
let port: number;
beforeAll(async () => {
  port = await freePort();
  // As documented, without VOUCH_TRUST_PROXY.
  server = await startServer({ ...settings, VOUCH_LISTEN: `127.0.0.1:${port}` }, { trustProxy: undefined });
});
afterAll(() => server.close());

/** Sends a request as a stranger may, to the server itself or to a proxy in front of it. */
function send(to: number, path: string, headers: Record<string, string> = {}, body?: string): Promise<Response> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = request(
      { host: '127.0.0.1', port: to, path, method, headers: { host: HOST, ...json, ...headers } },
      async (answer) => {
        let text = '';
        for await (const chunk of answer) text += chunk;
        const pairs = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
        resolve(new Response(text, { status: answer.statusCode ?? 0, headers: pairs }));
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

const guess = (to: number, headers: Record<string, string>) =>
  send(to, '/enroll/start', headers, JSON.stringify({ invitation: 'garbage' }));

/** What a person who wants more guesses may write into X-Forwarded-For. */
const forgeries = [
  () => `198.51.${random()}.${random()}`,
  () => `2001:db8:${random()}::1`,
  () => `198.51.100.1:${random()}`,
  () => `${random()}`,
  () => '127.0.0.1',
  () => `198.51.${random()}.1, 127.0.0.1`,
  () => '',
  () => `unknown, ${random()}`,
];
const random = () => Math.floor(Math.random() * 256);

const files: [string, () => ProxyFile][] = [
  ['nginx', nginxFile],
  ['Caddy', caddyFile],
];
describe.each(files)('behind %s with its file from docs/proxy', (_name, read) => {
  let client = '';
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  beforeEach(async () => {
    client = `203.0.113.${random()}`;
    proxy = await startProxy(read(), port, () => client);
  });
  afterEach(() => proxy.close());

  test('the proxy sends to the server’s default address, from an address that the server trusts', () => {
    const { listen, trustedProxies } = readConfig(settings);
    expect(listen.map(({ host, port }) => `http://${host}:${port}`)).toEqual([read().upstream]);
    expect(trustedProxies).toEqual(expect.arrayContaining(listen.map(({ host }) => host)));
  });

  test('the server gives its own URLs, whatever a stranger writes into headers', async () => {
    const strange = {
      'x-forwarded-for': 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      forwarded: 'for=evil.example;host=evil.example;proto=http',
    };
    const response = await send(proxy.port, '/.well-known/openid-configuration', strange);
    expect(await response.json()).toMatchObject({
      issuer: settings.VOUCH_ISSUER,
      token_endpoint: `https://${HOST}/token`,
    });
    await expectProblem(await send(proxy.port, '/jwks', { host: 'evil.example' }), 421, 'misdirected-request');
  });

  test('one address has 60 guesses, whatever it claims to be, and uses up nobody else’s', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => {
        const forgery = forgeries[index % forgeries.length]?.();
        return guess(proxy.port, forgery === undefined ? {} : { 'x-forwarded-for': forgery });
      }),
    );
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(60);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(140);
    client = '192.0.2.200';
    await expectProblem(await guess(proxy.port, {}), 403, 'invitation-refused');
  });
});

describe('with an https issuer', () => {
  test('a proxy that adds to X-Forwarded-For is understood too: the last address counts', async () => {
    const adds = { 'x-forwarded-for': '198.51.100.7' };
    const file = nginxFile(
      'proxy_pass http://127.0.0.1:8080;\nproxy_set_header Host $http_host;\nproxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    );
    const proxy = await startProxy(file, port, () => '203.0.114.1');
    try {
      const answers = await Promise.all(Array.from({ length: 70 }, () => guess(proxy.port, adds)));
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
      await expectProblem(await guess(port, adds), 403, 'invitation-refused');
    } finally {
      proxy.close();
    }
  });

  test('a proxy that does not name the client, or names nonsense, gets an error: all people would share one address', async () => {
    for (const header of [undefined, '', ' ', 'unknown', 'garbage', '1.2.3', '1.2.3.4, ', '1.2.3.4, x', '1.2.3.4:x']) {
      const response = await send(port, '/enroll', header === undefined ? {} : { 'x-forwarded-for': header });
      await expectProblem(response, 400, 'bad-request');
    }
    expect((await send(port, '/healthz')).status).toBe(200);
  });

  test('no other header than X-Forwarded-For names the client', async () => {
    for (const [name, value] of [
      ['forwarded', 'for=192.0.2.1'],
      ['x-real-ip', '192.0.2.1'],
      ['client-ip', '192.0.2.1'],
    ] as const) {
      await expectProblem(await send(port, '/enroll', { [name]: value }), 400, 'bad-request');
    }
  });

  test('a proxy whose address is not in VOUCH_TRUST_PROXY is not trusted', async () => {
    const elsewhere = await freePort();
    const listen = { VOUCH_LISTEN: `127.0.0.1:${elsewhere}` };
    const other = await startServer({ ...settings, ...listen }, { trustProxy: '10.0.0.0/8,::1' });
    try {
      const response = await send(elsewhere, '/enroll', { 'x-forwarded-for': '10.0.0.1' });
      expect(await response.clone().text()).toMatch(/127\.0\.0\.1.*VOUCH_TRUST_PROXY/);
      await expectProblem(response, 421, 'misdirected-request');
      expect((await send(elsewhere, '/healthz')).status).toBe(200);
    } finally {
      await other.close();
    }
  });
});

test('with http://localhost and without VOUCH_TRUST_PROXY, a client cannot choose its address', async () => {
  const local = await startServer({}, { trustProxy: undefined });
  try {
    const url = `${local.origin}/enroll/start`;
    const answers = await Promise.all(
      Array.from({ length: 70 }, (_, index) =>
        fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-forwarded-for': `198.51.100.${index}` },
          body: '{"invitation":"garbage"}',
        }),
      ),
    );
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
  } finally {
    await local.close();
  }
});
