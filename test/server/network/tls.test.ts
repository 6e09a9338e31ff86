import { createPrivateKey } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { readConfig } from '../../../server/config/config.ts';
import { TestCa } from '../../aws/test-ca.ts';
import { freePort } from '../../support/free-port.ts';
import { trust } from '../../support/trust.ts';
import { startProgram } from '../program.ts';
import { HTTPS, newDatabase } from '../settings.ts';
import { enrolPerson, expectProblem, signIn, startServer, type TestServer } from '../support.ts';
import { type Pair, tlsFiles } from '../tls-files.ts';

let ca: TestCa;
let pair: Pair;
beforeAll(async () => {
  ca = await TestCa.create();
  pair = await ca.pairFor('localhost');
});

/** The settings of a server that speaks TLS itself, as https://localhost. */
async function tlsSettings(files = tlsFiles(pair)) {
  const port = await freePort();
  const settings = { ...HTTPS, VOUCH_ISSUER: `https://localhost:${port}`, VOUCH_LISTEN: `127.0.0.1:${port}` };
  return { port, settings: { ...settings, ...files.settings } };
}

async function startTls(files = tlsFiles(pair), more: Record<string, string> = {}): Promise<TestServer> {
  const { settings } = await tlsSettings(files);
  const server = await startServer({ ...settings, ...more }, { trustProxy: undefined });
  onTestFinished(server.close);
  return server;
}

const portOf = ({ origin }: { origin: string }) => Number(new URL(origin).port);

/** Finishes TLS's handshake. */
async function handshake(port: number, how: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: ca.pem, ...how });
  onTestFinished(() => void socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

/** Which certificate the server shows. */
async function shownBy(port: number): Promise<string> {
  const socket = await handshake(port);
  const shown = socket.getPeerX509Certificate()?.toString() ?? '';
  socket.destroy();
  return shown.trim();
}
const leafOf = ({ cert }: Pair) => cert.slice(0, cert.indexOf('-----END')).concat('-----END CERTIFICATE-----').trim();

function ask(
  server: TestServer,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: string } = {},
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const { host } = new URL(server.origin);
    const method = body === undefined ? 'GET' : 'POST';
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const target = { host: '127.0.0.1', port: portOf(server), servername: 'localhost', ca: ca.pem, path, method };
    const sent = request({ ...target, headers: { host, ...json, ...headers } }, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      const pairs = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
      resolve(new Response(text, { status: answer.statusCode ?? 0, headers: pairs }));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** 70 guesses at an invitation, each from another address if the server believes the header. */
async function refusedOf70(server: TestServer, header: string): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: 70 }, (_, index) =>
      ask(server, '/enroll/start', { headers: { [header]: `198.51.100.${index}` }, body: '{"invitation":"garbage"}' }),
    ),
  );
  return answers.filter(({ status }) => status === 429).length;
}

describe('a server with its own certificate', () => {
  test('enrols and signs in, and says that its name is for https alone', async () => {
    const server = await startTls();
    onTestFinished(trust(ca.pem));
    const { key } = await enrolPerson(server);
    const { client, access_token } = await signIn(server.origin, key);
    const response = await client.api('GET', '/api/session', access_token);
    expect([response.status, response.headers.get('strict-transport-security')]).toEqual([
      200,
      'max-age=31536000; includeSubDomains',
    ]);
  });

  test('speaks TLS 1.2 and 1.3, nothing older, and no plain HTTP', async () => {
    const port = portOf(await startTls());
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await handshake(port, { minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(handshake(port, old)).rejects.toThrow(/alert|ECONNRESET|version/i);
    const plain = connectTcp(port, '127.0.0.1');
    plain.end('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    let answer = '';
    plain.on('data', (chunk) => {
      answer += chunk;
    });
    await new Promise<void>((resolve) => plain.once('error', () => {}).once('close', () => resolve()));
    expect(answer).not.toContain('HTTP/1.1 200');
  });

  test('trusts no proxy by itself: nobody chooses an address in any header', async () => {
    const server = await startTls();
    for (const header of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'cf-connecting-ip']) {
      expect([header, await refusedOf70(await startTls(), header)]).toEqual([header, 10]);
    }
    expect((await ask(server, '/enroll')).status).toBe(200);
    expect((await ask(server, '/enroll', { headers: { 'x-forwarded-for': 'garbage' } })).status).toBe(200);
  });

  test('believes a proxy that VOUCH_TRUST_PROXY names, which must name the client', async () => {
    const server = await startTls(tlsFiles(pair), { VOUCH_TRUST_PROXY: '127.0.0.1' });
    expect(await refusedOf70(server, 'x-forwarded-for')).toBe(0);
    await expectProblem(await ask(server, '/enroll'), 400, 'bad-request');
    await expectProblem(await ask(server, '/enroll', { headers: { 'x-forwarded-for': 'me' } }), 400, 'bad-request');
    const other = await startTls(tlsFiles(pair), { VOUCH_TRUST_PROXY: '10.0.0.0/8' });
    expect(await refusedOf70(other, 'x-forwarded-for')).toBe(10);
  });

  test('cuts a client that has not finished the handshake when it ends', async () => {
    const { settings, port } = await tlsSettings();
    const server = await startServer(settings, { trustProxy: undefined });
    const silent = connectTcp(port, '127.0.0.1');
    silent.on('error', () => {});
    const over = new Promise((resolve) => silent.once('close', resolve));
    // When a later connection is answered, this one has been accepted.
    await shownBy(port);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const closed = server.close();
    await vi.advanceTimersByTimeAsync(20_000);
    await Promise.all([closed, over]);
  });
});

describe('new files', () => {
  test('are used as soon as they are there, however they came; a connection that is open goes on', async () => {
    const files = tlsFiles(pair);
    const server = await startTls(files);
    const port = portOf(server);
    expect(await shownBy(port)).toBe(leafOf(pair));
    const open = await handshake(port);

    // Written in place.
    const second = await ca.pairFor('localhost');
    writeFileSync(files.cert, second.cert);
    writeFileSync(files.key, second.key);
    server.reload();
    expect(await shownBy(port)).toBe(leafOf(second));

    // Renamed.
    const third = await ca.pairFor('localhost');
    writeFileSync(`${files.cert}.new`, third.cert);
    writeFileSync(`${files.key}.new`, third.key, { mode: 0o600 });
    renameSync(`${files.cert}.new`, files.cert);
    renameSync(`${files.key}.new`, files.key);
    server.reload();
    expect(await shownBy(port)).toBe(leafOf(third));

    open.write(`GET /healthz HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`);
    let answer = '';
    for await (const chunk of open) answer += chunk;
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });

  test('behind a link to a folder that is swapped, as Kubernetes does, are found without being asked for', async () => {
    const folder = tlsFiles(pair).folder;
    const version = (name: string, { cert, key }: Pair) => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'tls.crt'), cert);
      writeFileSync(join(folder, name, 'tls.key'), key, { mode: 0o400 });
      symlinkSync(name, join(folder, '..tmp'));
      renameSync(join(folder, '..tmp'), join(folder, '..data'));
    };
    version('..1', pair);
    symlinkSync('..data/tls.crt', join(folder, 'tls.crt'));
    symlinkSync('..data/tls.key', join(folder, 'tls.key'));
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { settings, port } = await tlsSettings();
    const files = { VOUCH_TLS_CERT: join(folder, 'tls.crt'), VOUCH_TLS_KEY: join(folder, 'tls.key') };
    const server = await startServer({ ...settings, ...files }, { trustProxy: undefined });
    onTestFinished(server.close);
    const next = await ca.pairFor('localhost');
    version('..2', next);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await shownBy(port)).toBe(leafOf(next));
  });

  test('that are of no use change nothing, and the log says so once', async () => {
    const files = tlsFiles(pair);
    const server = await startTls(files);
    const warn = vi.spyOn(server.context.log, 'warn');
    const next = await ca.pairFor('localhost');
    const keepsOld = async (reason: RegExp) => {
      server.reload();
      server.reload();
      expect(await shownBy(portOf(server))).toBe(leafOf(pair));
      expect(warn.mock.calls).toEqual([[{ reason: expect.stringMatching(reason) }, expect.any(String)]]);
      warn.mockClear();
    };
    writeFileSync(files.cert, next.cert);
    await keepsOld(/VOUCH_TLS_KEY .*the key of the certificate in/);
    writeFileSync(files.cert, next.cert.slice(0, 300));
    await keepsOld(/VOUCH_TLS_CERT .*a certificate and its chain in PEM/);
    writeFileSync(files.cert, (await ca.pairFor('other.example')).cert);
    writeFileSync(files.key, 'x'.repeat(3000));
    await keepsOld(/VOUCH_TLS_KEY .*a private key in PEM/);
    renameSync(files.key, `${files.key}.away`);
    await keepsOld(/VOUCH_TLS_KEY .*\(ENOENT\)/);
    writeFileSync(files.key, next.key);
    chmodSync(files.key, 0o644);
    await keepsOld(/its mode is 0644/);
    chmodSync(files.key, 0o600);
    // From a backup, perhaps.
    const over = await ca.pairFor('localhost', { days: [-20, -10] });
    writeFileSync(files.key, over.key);
    writeFileSync(files.cert, over.cert);
    await keepsOld(/cert\.pem ended on /);
    writeFileSync(files.key, next.key);
    writeFileSync(files.cert, next.cert);
    server.reload();
    expect(await shownBy(portOf(server))).toBe(leafOf(next));
    expect(warn).not.toHaveBeenCalled();
  });

  test('are looked for at SIGHUP, which does not end such a server', async () => {
    const files = tlsFiles(pair);
    const { settings, port } = await tlsSettings(files);
    const server = await startProgram({ ...settings, VOUCH_DATABASE_URL: `sqlite:${newDatabase()}` });
    const next = await ca.pairFor('localhost');
    writeFileSync(files.key, next.key);
    writeFileSync(files.cert, next.cert);
    process.kill(server.pid, 'SIGHUP');
    await expect.poll(() => shownBy(port), { timeout: 30_000 }).toBe(leafOf(next));
    await server.end('SIGTERM');
    expect(server.status).toBe(0);
    expect(server.output).not.toContain('PRIVATE KEY');
  });
});

describe('the settings', () => {
  const read = (settings: Record<string, string>, issuer = 'https://localhost:8443') =>
    readConfig({ ...HTTPS, VOUCH_ISSUER: issuer, ...settings });

  test('make no proxy trusted, unless one is named', () => {
    const { settings } = tlsFiles(pair);
    expect(read(settings)).toMatchObject({ trustedProxies: [], tls: { pair: { ...pair, minVersion: 'TLSv1.2' } } });
    expect(read({ ...settings, VOUCH_TRUST_PROXY: '10.1.2.3' }).trustedProxies).toEqual(['10.1.2.3']);
  });

  test('are refused one without the other, and with an http issuer', () => {
    const { settings } = tlsFiles(pair);
    const { VOUCH_TLS_CERT, VOUCH_TLS_KEY } = settings;
    expect(() => read({ VOUCH_TLS_CERT })).toThrow(/^VOUCH_TLS_KEY is not set/);
    expect(() => read({ VOUCH_TLS_KEY })).toThrow(/^VOUCH_TLS_CERT is not set/);
    expect(() => read(settings, 'http://localhost:8443')).toThrow(/^VOUCH_TLS_CERT .*not an https URL/);
  });

  test('are refused with files of no use, of which the error shows nothing', async () => {
    const other = await ca.pairFor('localhost');
    const secret = createPrivateKey(pair.key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes256',
      passphrase: 'x',
    });
    const cases: [Pair, RegExp][] = [
      [{ cert: pair.cert, key: other.key }, /VOUCH_TLS_KEY .*the key of the certificate in/],
      [{ cert: pair.key, key: pair.key }, /VOUCH_TLS_CERT .*a certificate and its chain in PEM/],
      [{ cert: pair.cert, key: pair.cert }, /VOUCH_TLS_KEY .*a private key in PEM/],
      [{ cert: pair.cert, key: String(secret) }, /VOUCH_TLS_KEY .*without a passphrase/],
      [{ cert: '', key: pair.key }, /VOUCH_TLS_CERT .*a certificate and its chain in PEM/],
      [await ca.pairFor('vouch.example.com'), /VOUCH_TLS_CERT .*a certificate for localhost/],
      [{ cert: 'x'.repeat(1024 * 1024 + 1), key: pair.key }, /VOUCH_TLS_CERT/],
      [{ cert: pair.cert, key: 'x'.repeat(1024 * 1024 + 1) }, /VOUCH_TLS_KEY/],
    ];
    for (const [wrong, said] of cases) {
      const { settings } = tlsFiles(wrong);
      expect(() => read(settings)).toThrow(said);
      expect(() => read(settings)).not.toThrow(/BEGIN|PRIVATE/);
    }
    expect(() => read({ ...tlsFiles(pair).settings, VOUCH_TLS_CERT: '/nowhere' })).toThrow(/\(ENOENT\)/);
  });

  test('are refused if others can read the key; root’s may be open to a group, as Kubernetes and Debian do it', () => {
    const files = tlsFiles(pair);
    for (const mode of [0o604, 0o644, 0o620, 0o602]) {
      chmodSync(files.key, mode);
      expect(() => read(files.settings)).toThrow(new RegExp(`its mode is 0${mode.toString(8)}`));
    }
    chmodSync(files.key, 0o640);
    if (process.getuid?.() === 0) {
      expect(read(files.settings).tls?.pair.key).toBe(pair.key);
      chownSync(files.key, 54_321, 54_321);
    }
    expect(() => read(files.settings)).toThrow(/its mode is 0640/);
  });
});
