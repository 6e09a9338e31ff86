import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { JWKS_PATH, type PublishedKey, publicDocuments } from '../../../server/public-documents/documents.ts';
import { fetchDocument } from '../../../server/public-documents/fetch-document.ts';
import { lookFromOutside } from '../../../server/public-documents/look.ts';
import { writeDocuments } from '../../../server/public-documents/write-documents.ts';
import type { TestCa } from '../../aws/test-ca.ts';
import { freePort } from '../../support/free-port.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { StaticHost, trustedCa } from './static-host.ts';

const NOW = Date.UTC(2026, 10, 30);
const DISCOVERY = '/.well-known/openid-configuration';
const JWKS = `/${JWKS_PATH}`;

const folder = temporaryFolder();
let ca: TestCa;
let forget: () => void;
let host: StaticHost;
let keys: PublishedKey[];
let issuers: { issuer: string; awsIssuer: string };

async function newKey(kid: string, state: PublishedKey['state']): Promise<PublishedKey> {
  const { publicKey } = await generateKeyPair('ES256');
  return { kid, state, publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } };
}

beforeAll(async () => {
  ({ ca, forget } = await trustedCa());
  keys = [await newKey('one', 'current'), await newKey('two', 'next'), await newKey('zero', 'previous')];
});
afterAll(() => forget());
beforeEach(async () => {
  host = await StaticHost.start(folder, ca);
  issuers = { issuer: 'https://vouch.internal.example', awsIssuer: host.url };
  await writeDocuments(folder, publicDocuments(issuers, keys));
});
afterEach(() => host.close());

const look = (ours = keys) => lookFromOutside(issuers, ours, NOW);
const answer = (path: string, how: (response: ServerResponse) => void) =>
  host.instead.set(path, (_request, response) => how(response));
const answerJson = (path: string, change: (json: never) => unknown) => {
  const { text = '' } = publicDocuments(issuers, keys).find((one) => `/${one.path}` === path) ?? {};
  answer(path, (response) => response.end(JSON.stringify(change(JSON.parse(text) as never))));
};

test('finds all keys of the server, how long others may keep the answer, the host’s clock and its certificates', async () => {
  host.headers = { 'Cache-Control': 'max-age=600', Age: '17', Date: 'Mon, 30 Nov 2026 00:00:01 GMT' };
  expect(await look()).toEqual({
    issuer: host.url,
    at: NOW,
    troubles: [],
    shown: ['one', 'two', 'zero'],
    freshness: { maxAge: 600, age: 17 },
    date: Date.UTC(2026, 10, 30, 0, 0, 1),
    chain: {
      thumbprint: expect.stringMatching(/^[\da-f]{40}$/),
      endsAt: expect.any(Number),
    },
  });
  expect(host.asked.sort()).toEqual([JWKS, DISCOVERY]);
});

test('finds that a key is missing, that another has its name, and that one is not the server’s', async () => {
  answerJson(JWKS, ({ keys: [one, two] }: { keys: [JWK, JWK] }) => ({
    keys: [{ ...one, x: two.x }, { ...two, use: undefined }, { ...one, kid: 'foreign\u001b[2J' }, 'nothing', null],
  }));
  const url = `${host.url}${JWKS}`;
  expect(await look()).toMatchObject({
    shown: ['two'],
    troubles: [
      { kind: 'key-differs', url, kid: 'one', state: 'current' },
      { kind: 'key-missing', url, kid: 'zero', state: 'previous' },
      { kind: 'key-foreign', url, kid: 'foreign [2J' },
    ],
  });
});

test('names ten keys at most that are not the server’s', async () => {
  const others = Array.from({ length: 500 }, (_, index) => ({ kid: `other-${index}` }));
  answerJson(JWKS, ({ keys: ours }: { keys: JWK[] }) => ({ keys: [...ours, ...others] }));
  const { troubles, shown } = await look();
  expect([troubles.length, troubles.at(-1)]).toMatchObject([10, { kind: 'key-foreign', kid: 'other-9' }]);
  expect(shown).toEqual(['one', 'two', 'zero']);
});

test('compares what is nested deeply', async () => {
  const nested = `${'['.repeat(15_000)}${']'.repeat(15_000)}`;
  answer(DISCOVERY, (response) => response.end(`{"issuer":${nested}}`));
  answer(JWKS, (response) => response.end(`{"keys":[{"kid":${nested}}]}`));
  expect((await look()).troubles).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ member: 'issuer', found: 'nested too deeply' }),
      expect.objectContaining({ kind: 'key-foreign', kid: 'nested too deeply' }),
    ]),
  );
});

test('goes through the proxy of the environment', async () => {
  const asked: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, client) => {
    asked.push(String(request.url));
    const onward = connect(Number(new URL(host.url).port), 'localhost', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(client).pipe(onward);
    });
    onward.on('error', () => client.destroy());
    client.on('error', () => onward.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  vi.stubEnv('NO_PROXY', '');
  onTestFinished(() => void vi.unstubAllEnvs());
  issuers = { ...issuers, awsIssuer: 'https://id.invalid' };
  await writeDocuments(folder, publicDocuments(issuers, keys));
  expect(await look()).toMatchObject({
    troubles: [],
    shown: ['one', 'two', 'zero'],
    chain: { endsAt: expect.any(Number) },
  });
  expect(asked).toEqual(['id.invalid:443', 'id.invalid:443']);
});

test('does not trust a name that is there twice', async () => {
  answerJson(JWKS, ({ keys: [one, ...others] }: { keys: JWK[] }) => ({ keys: [one, one, ...others] }));
  expect(await look()).toMatchObject({ shown: ['two', 'zero'], troubles: [{ kind: 'key-differs', kid: 'one' }] });
});

describe('a discovery document that AWS does not take shows no key', () => {
  const changes: [string, Record<string, unknown>, string][] = [
    ['of another issuer', { issuer: 'https://other.example' }, 'issuer'],
    ['with a slash behind the issuer', { issuer: 'SLASH' }, 'issuer'],
    ['without an issuer', { issuer: undefined }, 'issuer'],
    ['with its keys elsewhere', { jwks_uri: 'https://other.example/jwks' }, 'jwks_uri'],
    ['without response types', { response_types_supported: undefined }, 'response_types_supported'],
    ['with other subject types', { subject_types_supported: ['pairwise'] }, 'subject_types_supported'],
    [
      'with another algorithm',
      { id_token_signing_alg_values_supported: ['RS256'] },
      'id_token_signing_alg_values_supported',
    ],
    ['with a text for a list', { subject_types_supported: 'public' }, 'subject_types_supported'],
  ];
  test.each(changes)('%s', async (_name, change, member) => {
    const changed = change.issuer === 'SLASH' ? { issuer: `${host.url}/` } : change;
    answerJson(DISCOVERY, (json: Record<string, unknown>) => ({ ...json, ...changed }));
    const { troubles, shown } = await look();
    expect([troubles.map((one) => [one.kind, 'member' in one && one.member]), shown]).toEqual([
      [['member-differs', member]],
      [],
    ]);
    expect(host.asked).not.toContain('/jwks');
  });
});

describe('a document that cannot be read as AWS reads it', () => {
  const faults: [string, string, (response: ServerResponse) => void][] = [
    ['status', 'is not there', (response) => response.writeHead(404).end()],
    ['status', 'is forbidden', (response) => response.writeHead(403).end('{}')],
    ['status', 'is empty', (response) => response.writeHead(204).end()],
    ['redirected', 'is elsewhere', (response) => response.writeHead(301, { Location: '/elsewhere' }).end()],
    ['redirected', 'was not changed', (response) => response.writeHead(304).end()],
    ['compressed', 'is compressed', (response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end('{}')],
    ['too-long', 'has no end', (response) => void response.writeHead(200).write(' '.repeat(70_000))],
    ['not-json', 'is a page', (response) => response.end('<html>')],
    ['not-json', 'is a list', (response) => response.end('[]')],
    ['not-json', 'is empty text', (response) => response.end('')],
    [
      'unreachable',
      'is cut off',
      (response) => void response.writeHead(200, { 'Content-Length': '9' }).write('{', () => response.destroy()),
    ],
    ['unreachable', 'gets no answer', (response) => response.destroy()],
    [
      'unreachable',
      'speaks another protocol',
      (response) => response.writeHead(101, { Upgrade: 'other', Connection: 'Upgrade' }).end(),
    ],
  ];
  test.each(faults.flatMap((fault) => [DISCOVERY, JWKS].map((path) => [...fault, path] as const)))(
    '%s: it %s%s',
    async (kind, _how, fault, path) => {
      answer(path, fault);
      const { troubles, shown } = await look();
      expect(troubles).toEqual([
        { kind, url: `${host.url}${path}`, why: expect.stringMatching(/^It.*\.$|^It cannot/) },
      ]);
      expect(shown).toEqual([]);
      expect(host.asked).not.toContain('/elsewhere');
    },
  );

  test('too-slow: it never ends', async () => {
    answer(JWKS, (response) => void response.writeHead(200).write('{'));
    await expect(fetchDocument(`${host.url}${JWKS}`, { longestMs: 50 })).rejects.toMatchObject({
      obstacle: 'too-slow',
    });
  });

  test('too-slow: a proxy takes the request and says nothing', async () => {
    const proxy = createServer().on('connect', (_request, socket) => onTestFinished(() => void socket.destroy()));
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void proxy.close());
    vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    vi.stubEnv('NO_PROXY', '');
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(fetchDocument('https://id.invalid/', { longestMs: 50 })).rejects.toMatchObject({
      obstacle: 'too-slow',
    });
  });

  test('unreachable: nobody is there', async () => {
    issuers = { ...issuers, awsIssuer: `https://localhost:${await freePort()}` };
    expect(await look()).toMatchObject({
      troubles: [{ kind: 'unreachable' }, { kind: 'unreachable' }],
      shown: [],
      freshness: undefined,
      chain: undefined,
    });
  });

  test.each<[string, () => Promise<StaticHost['certificate']>]>([
    ['expired', () => ca.unfitContextFor('localhost', { days: [-2, -1] })],
    ['for another host', () => ca.contextFor('other.example')],
    [
      'by a CA that nobody knows',
      async () => (await (await import('../../aws/test-ca.ts')).TestCa.create()).contextFor('localhost'),
    ],
  ])('tls: its certificate is %s', async (_name, certificate) => {
    host.certificate = await certificate();
    expect(await look()).toMatchObject({
      troubles: [
        { kind: 'tls' },
        { kind: 'tls', why: expect.stringMatching(/^Its certificate is not accepted \(\w+\): /) },
      ],
      shown: [],
    });
    expect(host.asked).toEqual([]);
  });
});
