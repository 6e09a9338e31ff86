import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { examine } from '../../../server/check/examine.ts';
import { checkProxy } from '../../../server/check/proxy.ts';
import type { CheckId, Result } from '../../../server/check/result.ts';
import { findUnreadable } from '../../../server/check/settings.ts';
import { readConfig } from '../../../server/config/config.ts';
import { publicDocuments } from '../../../server/public-documents/documents.ts';
import { readPublishedKeys } from '../../../server/public-documents/published-keys.ts';
import { writeDocuments } from '../../../server/public-documents/write-documents.ts';
import { makeKey, newRow } from '../../../server/signing/key-rows.ts';
import type { TestCa } from '../../aws/test-ca.ts';
import { freePort } from '../../support/free-port.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { StaticHost, trustedCa } from '../public-documents/static-host.ts';
import { HTTPS, MASTER_KEY } from '../settings.ts';
import { startServer, type TestServer } from '../support.ts';
import { tlsFiles } from '../tls-files.ts';

const MASTER = Buffer.from(MASTER_KEY, 'base64');
const MINUTE = 60_000;

const folder = temporaryFolder();
let ca: TestCa;
let forget: () => void;
let host: StaticHost;
beforeAll(async () => {
  ({ ca, forget } = await trustedCa());
});
afterAll(() => forget());

let server: TestServer;
let settings: Record<string, string>;

beforeEach(async () => {
  host = await StaticHost.start(folder, ca);
  host.certificate = await ca.unfitContextFor('localhost', { days: [-1, 30] });
  server = await startServer({ VOUCH_AWS_ISSUER: host.url, VOUCH_MASTER_KEY: MASTER_KEY }, { engine: 'sqlite' });
  settings = {
    VOUCH_ISSUER: server.origin,
    VOUCH_AWS_ISSUER: host.url,
    VOUCH_DATABASE_URL: server.databaseUrl,
    VOUCH_MASTER_KEY: MASTER_KEY,
  };
  await publish();
});
afterEach(async () => {
  await server.close();
  await host.close();
});

async function publish(): Promise<void> {
  const issuers = { issuer: settings.VOUCH_ISSUER ?? '', awsIssuer: host.url };
  await writeDocuments(folder, publicDocuments(issuers, await readPublishedKeys(server.context.store, MASTER)));
}

/** What is always found here: the static host is on this machine, and its CA is the test's. */
const HERE = ['public-documents.local', 'public-documents.private-ca'];

/** Each check's status and findings, without what is always found here. */
async function check(
  changes: Record<string, string | undefined> = {},
): Promise<Partial<Record<CheckId, [string, ...string[]]>>> {
  const env = Object.fromEntries(
    Object.entries({ ...settings, ...changes }).filter(([, value]) => value !== undefined),
  );
  const results = await examine(env as Record<string, string>, Date.now());
  return Object.fromEntries(results.map((result) => [result.check, [statusOf(result), ...ids(result)]]));
}

const ids = ({ findings }: Pick<Result, 'findings'>) => findings.map(({ id }) => id).filter((id) => !HERE.includes(id));

function statusOf({ status, findings }: Result): string {
  return status === 'warning' && findings.every(({ id }) => HERE.includes(id)) ? 'ok' : status;
}

const WELL = {
  settings: ['ok'],
  database: ['ok'],
  issuer: ['ok'],
  'signing-keys': ['ok'],
  clock: ['ok'],
  'public-documents': ['ok'],
  proxy: ['ok'],
};

/** All that is in the database. */
async function dump(): Promise<string> {
  const { rows } = await sql<{ name: string }>`select name from sqlite_master where type = 'table'`.execute(
    server.context.store,
  );
  const tables = await Promise.all(
    rows.map(({ name }) => sql`select * from ${sql.table(name)}`.execute(server.context.store)),
  );
  return createHash('sha256')
    .update(JSON.stringify(tables.map(({ rows }) => rows)))
    .digest('hex');
}

test('a server that runs is well, and so is one that does not; nothing is changed', async () => {
  await server.everyMinute();
  const before = await dump();
  expect(await check()).toEqual(WELL);
  expect(await dump()).toBe(before);
  const { databaseUrl } = server;
  const copy = join(folder, 'copy.db');
  await sql`vacuum into ${copy}`.execute(server.context.store);
  chmodSync(copy, 0o600);
  await server.close();
  settings.VOUCH_DATABASE_URL = `sqlite:${copy}`;
  expect(await check()).toEqual({ ...WELL, proxy: ['warning', 'proxy.no-answer'] });
  expect(databaseUrl).not.toBe(settings.VOUCH_DATABASE_URL);
  server = await startServer({}, { engine: 'sqlite' });
});

describe('settings', () => {
  test('that name a file which the database’s owner cannot read are named', () => {
    const files = { VOUCH_MASTER_KEY_FILE: join(folder, 'none'), VOUCH_TLS_CERT: import.meta.filename };
    expect(findUnreadable({ ...files, VOUCH_FIDO_METADATA: 'https://mds3.fidoalliance.org/' })).toMatchObject([
      { id: 'settings.unreadable', severity: 'warning', what: expect.stringContaining('VOUCH_MASTER_KEY_FILE') },
    ]);
  });

  test('a mistyped name is named with the nearest one, and nothing else can be checked', async () => {
    const [first, ...others] = await examine({ ...settings, VOUCH_AWS_ISUER: 'x' }, Date.now());
    expect(first).toMatchObject({
      check: 'settings',
      status: 'failed',
      findings: [{ id: 'settings.refused', what: expect.stringMatching(/VOUCH_AWS_ISUER is not .* VOUCH_AWS_ISSUER/) }],
    });
    expect(others.map(({ status }) => status)).toEqual(Array(6).fill('not-tried'));
  });

  test('with another wrong one, the database and the public documents are still checked', async () => {
    expect(await check({ VOUCH_AUDIT_DAYS: '1' })).toEqual({
      ...WELL,
      settings: ['failed', 'settings.refused'],
      'signing-keys': ['not-tried'],
      proxy: ['not-tried'],
    });
  });
});

describe('the database', () => {
  const LOST = { issuer: ['not-tried'], 'signing-keys': ['not-tried'] };

  test('that is not there', async () => {
    const found = await check({ VOUCH_DATABASE_URL: `sqlite:${join(folder, 'none.db')}` });
    expect(found).toEqual({ ...WELL, ...LOST, database: ['failed', 'database.not-opened'] });
  });

  test('of another version', async () => {
    await sql`delete from kysely_migration where name = '0011_public_documents'`.execute(server.context.store);
    expect(await check()).toMatchObject({ ...LOST, database: ['failed', 'database.not-opened'] });
  });

  test('that another program has locked', async () => {
    const { DatabaseSync } = await import('node:sqlite');
    const other = new DatabaseSync(server.databaseFile);
    onTestFinished(() => other.close());
    other.exec('begin immediate');
    expect(await check()).toMatchObject({ database: ['failed', 'database.not-written'], issuer: ['ok'] });
  });

  test('that others can read', async () => {
    chmodSync(server.databaseFile, 0o644);
    expect(await check()).toMatchObject({ database: ['warning', 'database.readable'] });
  });
});

describe('the issuer', () => {
  test('is not the one that the database was made with', async () => {
    const found = await check({ VOUCH_ISSUER: `http://localhost:${await freePort()}` });
    expect(found).toMatchObject({ issuer: ['failed', 'issuer.another'], proxy: ['warning', 'proxy.no-answer'] });
  });

  test('for AWS is not the one that the server ran with', async () => {
    expect(await check({ VOUCH_AWS_ISSUER: `${host.url}/new` })).toMatchObject({
      issuer: ['warning', 'issuer.aws-changes'],
      'public-documents': ['failed', 'public-documents.status', 'public-documents.status'],
    });
  });

  test('is in a backup that was put there by hand', async () => {
    await server.context.store.updateTable('server').set({ backed_up_at: 1 }).execute();
    expect(await check()).toMatchObject({ issuer: ['failed', 'issuer.backup'] });
  });
});

describe('the signing keys', () => {
  test('cannot be opened with another master key; what AWS reads is compared no further', async () => {
    expect(await check({ VOUCH_MASTER_KEY: randomBytes(32).toString('base64') })).toEqual({
      ...WELL,
      'signing-keys': ['failed', 'signing-keys.unusable'],
    });
  });

  test('are lost without the key file, which is not made anew', async () => {
    const found = await check({ VOUCH_MASTER_KEY: undefined });
    expect(found).toMatchObject({ 'signing-keys': ['failed', 'signing-keys.unusable'] });
    expect(() => readFileSync(`${server.databaseFile}.key`)).toThrow('ENOENT');
  });

  test('are not read with a key file that others may read', async () => {
    writeFileSync(`${server.databaseFile}.key`, MASTER_KEY, { mode: 0o600 });
    expect(await check({ VOUCH_MASTER_KEY: undefined })).toEqual(WELL);
    chmodSync(`${server.databaseFile}.key`, 0o644);
    const found = await check({ VOUCH_MASTER_KEY: undefined });
    expect(found).toMatchObject({ 'signing-keys': ['failed', 'signing-keys.unusable'] });
  });

  test('are not there yet, and are not made', async () => {
    await server.context.store.deleteFrom('signing_keys').execute();
    expect(await check()).toMatchObject({ 'signing-keys': ['failed', 'signing-keys.none'] });
    expect(await server.context.store.selectFrom('signing_keys').select('kid').execute()).toEqual([]);
  });
});

describe('the clock', () => {
  const dated = (milliseconds: number) => ({
    ...host.headers,
    Date: new Date(Date.now() + milliseconds).toUTCString(),
  });

  test('differs from the host’s by so much that AWS refuses the tokens, or by less', async () => {
    host.headers = dated(6 * MINUTE);
    expect(await check()).toMatchObject({ clock: ['failed', 'clock.public-host'] });
    host.headers = dated(2 * MINUTE);
    expect(await check()).toMatchObject({ clock: ['warning', 'clock.public-host'] });
    host.headers = dated(-20 * MINUTE);
    expect(await check()).toMatchObject({ clock: ['failed', 'clock.public-host'] });
  });

  test('is not blamed for the age of a cached copy', async () => {
    host.headers = dated(-4 * MINUTE);
    expect(await check()).toMatchObject({ clock: ['ok'] });
    host.headers = { ...dated(-9 * MINUTE), 'Cache-Control': 'max-age=600', Age: '540' };
    expect(await check()).toMatchObject({ clock: ['ok'] });
  });

  test('differs from the database server’s', async () => {
    const other = await startServer({ VOUCH_MASTER_KEY: MASTER_KEY }, { engine: 'postgres' });
    onTestFinished(other.close);
    const there = { VOUCH_ISSUER: other.origin, VOUCH_DATABASE_URL: other.databaseUrl, VOUCH_AWS_ISSUER: other.origin };
    expect(await check(there)).toMatchObject({ database: ['ok'], clock: ['ok'] });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * MINUTE });
    onTestFinished(() => void vi.useRealTimers());
    expect((await check(there)).clock).toContain('clock.database');
  });
});

describe('what AWS reads', () => {
  const addKey = async (state: 'next' | 'current', master = MASTER) => {
    const key = await makeKey(master);
    await server.context.store
      .insertInto('signing_keys')
      .values(newRow(key, state, Date.now()))
      .execute();
    return key.kid;
  };
  const set = (kid: string, change: { state: 'gone'; revoked_at?: number }) =>
    server.context.store.updateTable('signing_keys').set(change).where('kid', '=', kid).execute();

  test('lacks the next key: a warning; lacks the one that signs: a failure', async () => {
    await addKey('next');
    expect(await check()).toMatchObject({ 'public-documents': ['warning', 'public-documents.key-missing'] });
    host.instead.set('/.well-known/jwks.json', (_request, response) => response.end('{"keys": []}'));
    expect((await check())['public-documents']).toEqual(['failed', ...Array(2).fill('public-documents.key-missing')]);
  });

  test('has a key that is gone: a warning; one that was revoked, or that nobody knows: a failure', async () => {
    const kid = await addKey('next');
    await publish();
    await set(kid, { state: 'gone' });
    expect(await check()).toMatchObject({ 'public-documents': ['warning', 'public-documents.key-foreign'] });
    await set(kid, { state: 'gone', revoked_at: 1 });
    expect(await check()).toMatchObject({ 'public-documents': ['failed', 'public-documents.key-foreign'] });
    await server.context.store.deleteFrom('signing_keys').where('kid', '=', kid).execute();
    expect(await check()).toMatchObject({ 'public-documents': ['failed', 'public-documents.key-foreign'] });
  });

  test('is elsewhere, or has a certificate that nobody trusts', async () => {
    host.instead.set('/.well-known/openid-configuration', (_request, response) =>
      response.writeHead(301, { Location: '/' }).end(),
    );
    expect(await check()).toMatchObject({ 'public-documents': ['failed', 'public-documents.redirected'] });
    host.certificate = await ca.contextFor('other.example');
    expect((await check())['public-documents']).toEqual(['failed', 'public-documents.tls', 'public-documents.tls']);
  });

  test('has a certificate that ends soon, and may be kept too long', async () => {
    host.headers = { 'Cache-Control': 'max-age=604800' };
    host.certificate = await ca.unfitContextFor('localhost', { days: [-1, 13] });
    expect((await check())['public-documents']).toEqual([
      'warning',
      'public-documents.certificate-ends',
      'public-documents.long-age',
    ]);
  });

  test('is on this machine, and its CA is a private one, whose thumbprint AWS must know', async () => {
    const results = await examine(settings, Date.now());
    const { findings = [] } = results.find((result) => result.check === 'public-documents') ?? {};
    expect(findings.map(({ id }) => id)).toEqual(HERE);
    const [thumbprint] = /[\da-f]{40}/.exec(findings[1]?.fix ?? '') ?? [];
    const { X509Certificate } = await import('node:crypto');
    expect(thumbprint).toBe(new X509Certificate(ca.pem).fingerprint.replaceAll(':', '').toLowerCase());
  });

  test('is the server itself, which does not run: a warning', async () => {
    const own = await check({ VOUCH_AWS_ISSUER: settings.VOUCH_ISSUER });
    expect(own).toMatchObject({ 'public-documents': ['ok'] });
    const port = await freePort();
    const down = await check({ VOUCH_ISSUER: `http://localhost:${port}`, VOUCH_AWS_ISSUER: undefined });
    expect(down['public-documents']).toEqual([
      'warning',
      'public-documents.unreachable',
      'public-documents.unreachable',
    ]);
  });

  test('has a name that is private here', async () => {
    const { checkPublicDocuments } = await import('../../../server/check/public-documents.ts');
    const seen = async (address: string) => {
      const issuers = { issuer: 'https://vouch.invalid', awsIssuer: 'https://id.invalid' };
      const { result } = await checkPublicDocuments(issuers, undefined, undefined, Date.now(), async () => [address]);
      return ids(result).filter((id) => id !== 'public-documents.unreachable');
    };
    expect(await seen('10.1.2.3')).toEqual(['public-documents.private-address']);
    expect(await seen('fd00::7')).toEqual(['public-documents.private-address']);
    expect(await seen('192.0.2.7')).toEqual([]);
  });

  test('has a port, which AWS does not take', async () => {
    const found = await check({ ...HTTPS, VOUCH_ISSUER: 'https://vouch.invalid:8443', VOUCH_AWS_ISSUER: undefined });
    expect(found['public-documents']).toContain('public-documents.port');
  });
});

describe('the proxy', () => {
  const proxied = (changes: Record<string, string>) =>
    readConfig({ ...HTTPS, VOUCH_ISSUER: 'https://vouch.invalid', VOUCH_DATABASE_URL: server.databaseUrl, ...changes });
  /** By the settings alone: nobody answers there. */
  const bySettings = async (changes: Record<string, string>) =>
    ids(await checkProxy(proxied(changes))).filter((id) => id !== 'proxy.no-answer');

  test.each<[string, Record<string, string>, string[]]>([
    ['on this machine is trusted by default', {}, []],
    ['elsewhere cannot be told from a stranger', { VOUCH_LISTEN: '0.0.0.0:8080' }, ['proxy.only-here']],
    ['elsewhere is named', { VOUCH_LISTEN: '0.0.0.0:8080', VOUCH_TRUST_PROXY: '10.1.2.3' }, []],
    ['elsewhere does not reach the server', { VOUCH_TRUST_PROXY: '10.1.2.3' }, ['proxy.not-reached']],
    ['is any of very many', { VOUCH_LISTEN: '0.0.0.0:80', VOUCH_TRUST_PROXY: '10.0.0.0/8' }, ['proxy.wide-range']],
    ['is one of a few', { VOUCH_LISTEN: '[::]:80', VOUCH_TRUST_PROXY: '10.1.2.0/24,fd00::/64' }, []],
  ])('%s', async (_name, changes, found) => {
    expect(await bySettings(changes)).toEqual(found);
  });

  test.each<[string, [number, number], string[]]>([
    ['is good for a month', [-1, 30], []],
    ['ends in a week', [-1, 7], ['warning']],
    ['has ended', [-9, -1], ['failed']],
  ])('is none, and the server’s own certificate %s', async (_name, days, found) => {
    const tls = tlsFiles(await ca.pairFor('vouch.invalid', { days }));
    const { findings } = await checkProxy(proxied(tls.settings));
    const about = findings.filter(({ id }) => id === 'proxy.certificate');
    expect(about.map(({ severity }) => severity)).toEqual(found);
  });

  const answering = async (listener: RequestListener) => {
    const other = createServer(listener);
    await new Promise<void>((resolve) => other.listen(0, 'localhost', resolve));
    onTestFinished(() => void other.close());
    const issuer = `http://localhost:${(other.address() as AddressInfo).port}`;
    return ids(await checkProxy(readConfig({ VOUCH_ISSUER: issuer, VOUCH_DATABASE_URL: server.databaseUrl })));
  };

  test('is not trusted, or does not say whose request it is', async () => {
    expect(await answering((_request, response) => response.writeHead(421).end())).toEqual(['proxy.not-trusted']);
    expect(await answering((_request, response) => response.writeHead(400).end())).toEqual(['proxy.no-client']);
  });

  test('leads to another server, or to none', async () => {
    const other = '{"issuer": "https://other.example"}';
    expect(await answering((_request, response) => response.end(other))).toEqual(['proxy.another']);
    expect(await answering((_request, response) => response.writeHead(502).end())).toEqual(['proxy.no-answer']);
  });
});
