import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { exportJWK } from 'jose';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Log } from '../../../cli/agent/log.ts';
import { type Access, importAccess } from '../../../cli/agent/session/access-token.ts';
import { Account } from '../../../cli/agent/session/account.ts';
import { requestAwsToken } from '../../../cli/agent/session/server-requests.ts';
import { usualTimeouts } from '../../../cli/agent/session/timeouts.ts';
import { assumeRole } from '../../../cli/aws/sts/assume-role.ts';
import { callerIdentity } from '../../../cli/aws/sts/caller-identity.ts';
import { assumeRoleWithWebIdentity } from '../../../cli/aws/sts/web-identity.ts';
import { changeConfig } from '../../../cli/config.ts';
import { server as serverCheck } from '../../../cli/doctor/checks/server.ts';
import { examine } from '../../../cli/doctor/examine.ts';
import { reachDestinations } from '../../../cli/doctor/reachable.ts';
import { answerPage, enrolledKey, openedPage, startEnrolment } from '../../../cli/enrolment/enrolment.ts';
import { signIn } from '../../../cli/login/browser-flow.ts';
import { askServer, longestAnswer } from '../../../cli/server-api/ask-server.ts';
import { visitTo } from '../doctor/visit.ts';
import { type FakeIssuer, startFakeIssuer } from '../login/fake-issuer.ts';
import { machine } from '../support.ts';

afterEach(() => void vi.restoreAllMocks());

const role = 'arn:aws:iam::123456789012:role/VouchDeveloper';
const credentials = { accessKeyId: 'A', secretAccessKey: 'S', sessionToken: 'T', expiration: 0 };
/** A safety net for the tests, which no request here may need. */
const signal = () => AbortSignal.timeout(60_000);

/** The part of ours that asks a server, and its request. */
interface Asker {
  asks: string;
  ask: (issuer: FakeIssuer) => Promise<unknown>;
  /** An answer that is right but for its length, so that a reader to the end would accept it. */
  answer: (url: string) => string;
}

async function signInAt({ url, pushed }: FakeIssuer): Promise<unknown> {
  return signIn({
    server: url,
    signal: signal(),
    onPage: () => {
      const request = pushed.at(-1);
      const query = new URLSearchParams({ code: 'c', state: request?.get('state') ?? '', iss: url });
      void fetch(`${request?.get('redirect_uri')}?${query}`, { redirect: 'manual' }).catch(() => {});
    },
  });
}

/** A sign-in up to the page, which is all that the pushed request's answer leads to. */
async function openPageAt({ url }: FakeIssuer): Promise<unknown> {
  const stop = new AbortController();
  return new Promise((resolve, reject) => {
    signIn({ server: url, signal: stop.signal, onPage: resolve }).catch(reject);
  }).finally(() => stop.abort());
}

async function accessTo({ url }: FakeIssuer): Promise<Access> {
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
  return importAccess({
    issuer: url,
    accessToken: 'an-access-token',
    dpopKey: await exportJWK(privateKey),
    email: 'alice@example.com',
    key: { name: 'Work key', model: null },
    expiresAt: '2030-01-01T00:00:00.000Z',
  });
}

async function keysAt(issuer: FakeIssuer): Promise<unknown> {
  const access = await accessTo(issuer);
  return new Account({ access, timeouts: usualTimeouts, log: new Log(), onOwnKey: () => {} }).keys();
}

async function examineAt({ url }: FakeIssuer): Promise<unknown> {
  const the = machine();
  changeConfig(the.env, { server: url });
  const [result] = await examine([serverCheck], await visitTo(the));
  if (result?.findings.length === 0) return 'well';
  throw Object.assign(new Error(JSON.stringify(result?.findings)), { name: 'Problem' });
}

const sts = ({ url }: FakeIssuer) => ({
  region: 'us-east-1',
  env: { AWS_ENDPOINT_URL_STS: url },
  sessionName: 'alice@example.com',
  duration: 900,
  signal: signal(),
});
const xml = (action: string, content: string) =>
  `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${content}</${action}Result></${action}Response>`;
const xmlCredentials =
  '<Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>';

const askers: Record<string, Asker> = {
  'a login, for the discovery document': {
    asks: 'GET /.well-known/openid-configuration',
    ask: signInAt,
    answer: (url) =>
      JSON.stringify({
        issuer: url,
        authorization_endpoint: `${url}/auth`,
        token_endpoint: `${url}/token`,
        jwks_uri: `${url}/jwks`,
        pushed_authorization_request_endpoint: `${url}/request`,
        authorization_response_iss_parameter_supported: true,
        id_token_signing_alg_values_supported: ['ES256'],
      }),
  },
  'a login, with its pushed request': {
    asks: 'POST /request',
    ask: openPageAt,
    answer: () => JSON.stringify({ request_uri: 'urn:ietf:params:oauth:request_uri:x', expires_in: 60 }),
  },
  'a login, for the keys': { asks: 'GET /jwks', ask: signInAt, answer: () => JSON.stringify({ keys: [] }) },
  'a login, for the tokens': {
    asks: 'POST /token',
    ask: signInAt,
    answer: () => JSON.stringify({ access_token: 'a', token_type: 'DPoP', expires_in: 60 }),
  },
  'a login, for the session': {
    asks: 'GET /api/session',
    ask: signInAt,
    answer: () =>
      JSON.stringify({
        email: 'alice@example.com',
        key: { name: 'Work key', model: null },
        expiresAt: '2030-01-01T00:00:00.000Z',
      }),
  },
  'an enrolment, with its invitation': {
    asks: 'POST /enroll/start',
    ask: ({ url }) => startEnrolment(url, { invitation: 'x', machine: 'm' }, signal()),
    answer: (url) =>
      JSON.stringify({ url: `${url}/enroll/x`, poll: 'p', email: 'a@b', expiresAt: '2030-01-01T00:00:00.000Z' }),
  },
  'an enrolment, for how it goes': {
    asks: 'POST /enroll/status',
    ask: ({ url }) => enrolledKey(url, 'p', signal()),
    answer: () => JSON.stringify({ state: 'done', key: { name: 'Work key', model: null } }),
  },
  'an enrolment, for the page that opened': {
    asks: 'POST /enroll/status',
    ask: ({ url }) => openedPage(url, 'p', signal()),
    answer: () => JSON.stringify({ state: 'opened', words: 'amber otter canyon' }),
  },
  'the agent, for a token': {
    asks: 'POST /api/aws/token',
    ask: async (issuer) => requestAwsToken(await accessTo(issuer), { role }, signal()),
    answer: () => JSON.stringify({ token: 'a.b.c' }),
  },
  'the agent, for the keys': { asks: 'GET /api/keys', ask: keysAt, answer: () => JSON.stringify({ keys: [] }) },
  'vouch doctor, for the discovery document': {
    asks: 'GET /.well-known/openid-configuration',
    ask: examineAt,
    answer: (url) => JSON.stringify({ issuer: url }),
  },
  'the agent, STS for a role': {
    asks: 'POST /',
    ask: (issuer) => assumeRoleWithWebIdentity({ ...sts(issuer), role, token: 't' }),
    answer: () => xml('AssumeRoleWithWebIdentity', xmlCredentials),
  },
  'the agent, STS for the next role': {
    asks: 'POST /',
    ask: (issuer) => assumeRole({ ...sts(issuer), role, source: { role, credentials } }),
    answer: () => xml('AssumeRole', xmlCredentials),
  },
  'vouch doctor, STS for who it is': {
    asks: 'POST /',
    ask: (issuer) => callerIdentity({ ...credentials, expiresAt: '' } as never, sts(issuer)),
    answer: () => xml('GetCallerIdentity', `<Arn>${role}</Arn><Account>123456789012</Account>`),
  },
};
const table = Object.entries(askers).map(([who, asker]) => ({ who, ...asker }));

/** 8 MB that are right for a reader to the end. */
const padded = (answer: string) => Buffer.concat([Buffer.from(answer), Buffer.alloc(8 * 1024 * 1024, ' ')]);
const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

const floods: Record<string, (response: ServerResponse, answer: string) => void> = {
  'a bomb of gzip': (response, answer) =>
    response.writeHead(200, type(answer, { 'content-encoding': 'gzip' })).end(gzipSync(padded(answer), { level: 1 })),
  'a bomb of brotli': (response, answer) =>
    response.writeHead(200, type(answer, { 'content-encoding': 'br' })).end(brotliCompressSync(padded(answer), quick)),
  'an answer without end': (response, answer) => {
    response.writeHead(200, type(answer)).write(answer);
    const more = Buffer.alloc(64 * 1024, ' ');
    const flood = () => {
      while (!response.destroyed && response.write(more));
      if (!response.destroyed) response.once('drain', flood);
    };
    flood();
  },
  'an answer of one byte too many': (response, answer) =>
    response.writeHead(200, type(answer)).end(answer.padEnd(longestAnswer + 1)),
  'a head of a megabyte': (response, answer) =>
    response.writeHead(200, type(answer, { 'x-long': 'x'.repeat(1024 * 1024) })).end(answer),
};

function type(answer: string, more: Record<string, string> = {}): Record<string, string> {
  return { 'content-type': answer.startsWith('<') ? 'text/xml' : 'application/json', ...more };
}

/** A server that is hostile to this asker's request. `closed` settles when that connection is closed. */
async function hostileTo({ asks }: Asker, hostile: (response: ServerResponse, url: string) => void) {
  const issuer = await startFakeIssuer();
  onTestFinished(() => issuer.close());
  const closed = new Promise<void>((resolve) => {
    issuer.instead[asks] = (response) => {
      response.once('close', resolve);
      response.on('error', () => {});
      hostile(response, issuer.url);
    };
  });
  return { issuer, closed };
}

describe.each(table)('$who', ({ who: _who, ...asker }) => {
  const created = asker.asks === 'POST /request' ? 201 : 200;

  test('takes the right answer, up to 64 KiB of it', async () => {
    const { issuer } = await hostileTo(asker, (response, url) => {
      const answer = asker.answer(url);
      response.writeHead(created, type(answer)).end(answer.padEnd(longestAnswer));
    });
    // The length is right. Later steps may still find that keys or tokens are not real.
    const outcome = await asker.ask(issuer).then(
      () => 'taken',
      (error: Error) => error.message + String((error as { why?: string }).why),
    );
    expect(outcome).not.toMatch(/long|unreachable|more than an answer/);
  });

  test.each(Object.entries(floods))('hangs up on %s', async (_what, flood) => {
    const { issuer, closed } = await hostileTo(asker, (response, url) => {
      const writeHead = response.writeHead.bind(response);
      response.writeHead = ((_status: number, headers: Record<string, string>) => writeHead(created, headers)) as never;
      flood(response, asker.answer(url));
    });
    await expect(asker.ask(issuer)).rejects.toThrow();
    await closed;
  });

  test('does not follow a redirection', async () => {
    let asked = 0;
    const other = createServer((_request, response) => {
      asked++;
      response.writeHead(created, type(elsewhere)).end(elsewhere);
    });
    await new Promise<void>((resolve) => other.listen(0, 'localhost', resolve));
    onTestFinished(() => void other.close());
    const location = `http://localhost:${(other.address() as AddressInfo).port}/`;
    let elsewhere = '';
    for (const status of [302, 307]) {
      const { issuer } = await hostileTo(asker, (response, url) => {
        elsewhere = asker.answer(url);
        response.writeHead(status, { location }).end();
      });
      await expect(asker.ask(issuer)).rejects.toThrow();
    }
    expect(asked).toBe(0);
  });
});

describe('the time of an answer', () => {
  /** Sends a right answer byte by byte, without end. */
  const drip = (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 5);
    response.once('close', () => clearInterval(timer));
  };

  test.each([
    ['a login', signInAt, 'GET /.well-known/openid-configuration', 10_000],
    ['a login', signInAt, 'POST /request', 10_000],
    ['a login', signInAt, 'POST /token', 10_000],
    ['a login', signInAt, 'GET /api/session', 10_000],
    ['an enrolment', askers['an enrolment, with its invitation']?.ask, 'POST /enroll/start', 10_000],
    ['vouch doctor', examineAt, 'GET /.well-known/openid-configuration', 8000],
  ] as const)('%s has one for a server that drips (%#)', async (_who, ask, asks, most) => {
    const { issuer, closed } = await hostileTo({ asks, ask: ask as Asker['ask'], answer: () => '' }, drip);
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    const times: number[] = [];
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((time) => {
      times.push(time);
      return timeout(time === most ? 200 : time);
    });
    await expect(ask?.(issuer)).rejects.toThrow();
    await closed;
    expect(times).toContain(most);
  });

  test('is the asker’s to choose, and over at its end', async () => {
    const { issuer, closed } = await hostileTo({ asks: 'GET /', ask: signInAt, answer: () => '' }, drip);
    const answer = askServer(new URL(issuer.url), { method: 'GET', headers: {}, signal: signal(), timeout: 100 });
    await expect(answer).rejects.toMatchObject({ name: 'TimeoutError' });
    await closed;
  });

  test('does not matter to vouch doctor when it only checks whether a host can be reached', async () => {
    const { issuer } = await hostileTo({ asks: 'GET /', ask: signInAt, answer: () => '' }, drip);
    const visit = await visitTo(machine());
    visit.facts.server = issuer.url;
    const ways = await reachDestinations({ ...visit, env: { ...visit.env, AWS_ENDPOINT_URL_STS: issuer.url } });
    expect(ways.filter(({ name }) => name !== 'CodeCommit, by Git')).toEqual([
      { name: 'Vouch server', closed: undefined },
      { name: 'AWS STS', closed: undefined },
    ]);
  });
});

describe('the endpoints of a discovery document', () => {
  const foreign = [
    'authorization_endpoint',
    'token_endpoint',
    'pushed_authorization_request_endpoint',
    'jwks_uri',
    'revocation_endpoint',
    'a_later_endpoint',
  ];
  const places: [string, (url: string) => unknown][] = [
    ['another host', () => 'https://evil.example/auth'],
    ['another port', (url) => `${url.replace(/\d+$/, (port) => String(Number(port) + 1))}/auth`],
    ['another scheme', (url) => `${url.replace('http:', 'https:')}/auth`],
    ['the server’s name as a user', (url) => `${url.replace('http://', 'http://localhost:1@')}/auth`],
    ['no URL', () => '/auth'],
    ['no text', () => ['x']],
  ];

  test.each(foreign)('are the server’s own: %s', async (name) => {
    const issuer = await startFakeIssuer();
    onTestFinished(() => issuer.close());
    for (const [_place, where] of places) {
      issuer.wrong = { discovery: { [name]: where(issuer.url) } };
      const opened: unknown[] = [];
      const refused = signIn({ server: issuer.url, signal: signal(), onPage: (page) => opened.push(page) });
      await expect(refused).rejects.toMatchObject({
        kind: 'not-a-vouch-server',
        why: expect.stringContaining(name),
        exitCode: 4,
      });
      expect(opened).toEqual([]);
      await expect(examineAt(issuer)).rejects.toThrow(name);
    }
    // Nothing was sent, neither there nor here.
    expect(new Set(issuer.asked)).toEqual(new Set(['GET /.well-known/openid-configuration']));
  });

  test('lead to an address that is no longer than one', async () => {
    const issuer = await startFakeIssuer();
    onTestFinished(() => issuer.close());
    issuer.instead['POST /request'] = (response) =>
      response
        .writeHead(201, { 'content-type': 'application/json' })
        .end(JSON.stringify({ request_uri: `urn:${'x'.repeat(4000)}`, expires_in: 60 }));
    await expect(signInAt(issuer)).rejects.toMatchObject({ kind: 'not-a-vouch-server' });
  });

  test.each([
    ['another host', () => 'https://evil.example/enroll/x'],
    ['another port', (url: string) => `${url.replace(/\d+$/, (port) => String(Number(port) + 1))}/enroll/x`],
    ['another scheme', (url: string) => `${url.replace('http:', 'https:')}/enroll/x`],
    ['a user', (url: string) => `${url.replace('http://', 'http://localhost:1@')}/enroll/x`],
    ['an address that is far too long', (url: string) => `${url}/enroll/${'x'.repeat(4000)}`],
  ])('and so is the page of an enrolment: not %s', async (_what, where) => {
    const issuer = await startFakeIssuer();
    onTestFinished(() => issuer.close());
    issuer.instead['POST /enroll/start'] = (response) =>
      response.end(JSON.stringify({ url: where(issuer.url), poll: 'p', email: 'a@b', expiresAt: '2030-01-01' }));
    await expect(askers['an enrolment, with its invitation']?.ask(issuer)).rejects.toMatchObject({
      kind: 'not-a-vouch-server',
    });
  });

  test('the keys that an invitation replaces are shown as one short line each, or not at all', async () => {
    const issuer = await startFakeIssuer();
    onTestFinished(() => issuer.close());
    const start = async (replaces: unknown) => {
      issuer.instead['POST /enroll/start'] = (response) =>
        response.end(JSON.stringify({ url: `${issuer.url}/enroll/x`, poll: 'p', email: 'a@b', replaces }));
      return (await startEnrolment(issuer.url, { invitation: 'x', machine: 'm' }, signal())).replaces;
    };
    for (const replaces of [undefined, null, 'x', 1, { length: 1 }]) expect(await start(replaces)).toEqual([]);
    expect(await start([null, 1, 'x', {}, { name: 1 }, []])).toEqual([]);
    const [key] = (await start([{ name: `a\u001b[2J\n${'b'.repeat(5_000)}`, model: { toString: 'x' } }])) ?? [];
    expect(key).toEqual({ name: expect.stringMatching(/^a \[2J b{57}…$/), model: null });
    expect(await start(Array(1_000).fill({ name: 'k', model: null }))).toHaveLength(20);
  });

  test('what a server sends about an enrolment’s page is neither shown nor agreed to when it is something else', async () => {
    const issuer = await startFakeIssuer();
    onTestFinished(() => issuer.close());
    for (const said of [
      { state: 'opened', words: 'amber\u001b]0;owned\u0007' },
      { state: 'opened' },
      { state: 'approved' },
      { state: 'done', key: { name: 'x', model: null } },
      {},
    ]) {
      issuer.instead['POST /enroll/status'] = (response) => response.end(JSON.stringify(said));
      await expect(openedPage(issuer.url, 'p', signal())).rejects.toMatchObject({ kind: 'not-a-vouch-server' });
    }
    // An answer other than 204 means that the consent was not accepted.
    for (const status of [200, 302, 404, 410, 500]) {
      issuer.instead['POST /enroll/approve'] = (response) =>
        response.writeHead(status, { location: '/enroll/approve', 'content-type': 'application/json' }).end('{}');
      const agreed = answerPage(issuer.url, 'p', { words: 'amber otter canyon', mine: true }, signal());
      await expect(agreed).rejects.toMatchObject({
        kind: status === 500 ? 'server-unreachable' : 'not-a-vouch-server',
      });
    }
  });
});

describe('a server that refuses, or cannot answer', () => {
  const words = JSON.stringify({
    type: 'urn:vouch:problem:misdirected-request',
    title: 'This proxy is not one that the server trusts',
    detail: 'Name it in VOUCH_TRUST_PROXY.',
  });
  const refuse =
    (status: number, body: string, type = 'application/problem+json') =>
    (response: ServerResponse) =>
      response.writeHead(status, { 'content-type': type }).end(body);
  const asked = table.filter(({ who }) => /login|enrolment, with/.test(who) && !/keys/.test(who));

  test.each(asked)('$who: is quoted when it gives a reason', async ({ ask, asks }) => {
    const issuer = await startFakeIssuer();
    onTestFinished(() => issuer.close());
    issuer.instead[asks] = refuse(421, words);
    await expect(ask(issuer)).rejects.toMatchObject({
      kind: 'misdirected-request',
      what: 'This proxy is not one that the server trusts.',
      fix: 'Name it in VOUCH_TRUST_PROXY.',
      exitCode: 5,
    });
    issuer.instead[asks] = refuse(503, words);
    await expect(ask(issuer)).rejects.toMatchObject({ kind: 'misdirected-request', exitCode: 4 });
  });

  test.each(asked)('$who: is reported as down when a proxy answers so', async ({ ask, asks }) => {
    const issuer = await startFakeIssuer();
    onTestFinished(() => issuer.close());
    for (const status of [429, 500, 502, 503]) {
      issuer.instead[asks] = refuse(status, '<h1>nginx</h1>', 'text/html');
      await expect(ask(issuer)).rejects.toMatchObject({
        kind: 'server-unreachable',
        why: `It answered with status ${status}. It is down, or has too much to do.`,
        exitCode: 4,
      });
    }
    issuer.instead[asks] = refuse(404, '<h1>nginx</h1>', 'text/html');
    await expect(ask(issuer)).rejects.toMatchObject({ kind: 'not-a-vouch-server', exitCode: 4 });
  });

  test('vouch doctor quotes it too', async () => {
    const issuer = await startFakeIssuer();
    onTestFinished(() => issuer.close());
    issuer.instead['GET /.well-known/openid-configuration'] = refuse(421, words);
    await expect(examineAt(issuer)).rejects.toThrow(/server\.refused.*VOUCH_TRUST_PROXY/);
  });
});

test('an enrolment waits for a server that cannot answer now, and not for one that refuses', async () => {
  const issuer = await startFakeIssuer();
  onTestFinished(() => issuer.close());
  let times = 0;
  issuer.instead['POST /enroll/status'] = (response) => {
    times++;
    if (times <= 2) response.writeHead(times === 1 ? 503 : 429).end('<h1>nginx</h1>');
    else response.end(JSON.stringify({ state: 'done', key: { name: 'Work key', model: null } }));
  };
  await expect(enrolledKey(issuer.url, 'p', signal())).resolves.toEqual({
    key: { name: 'Work key', model: null },
    awsCredentialsUntil: null,
  });
  issuer.instead['POST /enroll/status'] = (response) => response.writeHead(404).end('{}');
  await expect(enrolledKey(issuer.url, 'p', signal())).rejects.toMatchObject({ kind: 'not-a-vouch-server' });
});
