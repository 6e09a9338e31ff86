import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../server/config.ts';
import { freePort } from '../support/free-port.ts';
import { ServerProcess, vouchServer } from './program.ts';
import { temporaryFolder } from './support.ts';

const MASTER_KEY = Buffer.alloc(32, 7).toString('base64');
const HTTPS = { VOUCH_ISSUER: 'https://vouch.example.com', VOUCH_MASTER_KEY: MASTER_KEY };

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

let count = 0;
function newDatabase(): string {
  count += 1;
  return join(folder.path, `${count}.db`);
}

async function localSettings(database = newDatabase()): Promise<Record<string, string>> {
  return { VOUCH_ISSUER: `http://localhost:${await freePort()}`, VOUCH_DATABASE_URL: `sqlite:${database}` };
}

describe('one setting is enough', () => {
  test('VOUCH_ISSUER, for http://localhost', () => {
    expect(readConfig({ VOUCH_ISSUER: 'http://localhost:3000/' })).toEqual({
      issuer: 'http://localhost:3000',
      local: true,
      rpId: 'localhost',
      sqliteFile: './vouch.db',
      listen: { host: '127.0.0.1', port: 3000 },
      masterKey: undefined,
      sessionSeconds: 28_800,
      awsAudience: 'http://localhost:3000',
      allowedAaguids: [],
      requireAttestationCert: false,
      trustedProxies: [],
      auditDays: 400,
      logLevel: 'info',
    });
  });

  test('and the master key, for https', () => {
    expect(readConfig({ ...HTTPS, VOUCH_ISSUER: 'https://VOUCH.example.com' })).toMatchObject({
      issuer: 'https://vouch.example.com',
      local: false,
      rpId: 'vouch.example.com',
      listen: { host: '127.0.0.1', port: 8080 },
      masterKey: Buffer.alloc(32, 7),
    });
  });
});

test('a session of 1.1 hours has whole seconds, as tokens need', () => {
  expect(readConfig({ ...HTTPS, VOUCH_SESSION_HOURS: '1.1' }).sessionSeconds).toBe(3960);
});

describe('a wrong setting is named, with what it should look like', () => {
  const wrong: [string, Record<string, string>, RegExp][] = [
    ['VOUCH_ISSUER missing', {}, /^VOUCH_ISSUER is not set; it should be .*https:\/\/vouch.example.com/],
    ['VOUCH_ISSUER empty', { VOUCH_ISSUER: '' }, /^VOUCH_ISSUER is ""; it should be/],
    ['VOUCH_ISSUER no URL', { VOUCH_ISSUER: 'vouch.example.com' }, /^VOUCH_ISSUER is "vouch/],
    ['VOUCH_ISSUER http', { VOUCH_ISSUER: 'http://vouch.example.com' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER http://127.0.0.1', { VOUCH_ISSUER: 'http://127.0.0.1:3000' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER localhost.evil', { VOUCH_ISSUER: 'http://localhost.evil.example' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER ftp', { VOUCH_ISSUER: 'ftp://vouch.example.com' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER with path', { VOUCH_ISSUER: 'https://vouch.example.com/a' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER with query', { VOUCH_ISSUER: 'https://vouch.example.com/?a' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER with fragment', { VOUCH_ISSUER: 'https://vouch.example.com/#a' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER with user', { VOUCH_ISSUER: 'https://a:b@vouch.example.com' }, /^VOUCH_ISSUER/],
    ['VOUCH_ISSUER IP address', { VOUCH_ISSUER: 'https://10.0.0.1' }, /security keys do not sign for IP addresses/],
    ['VOUCH_ISSUER IPv6 address', { VOUCH_ISSUER: 'https://[::1]' }, /security keys do not sign for IP addresses/],
    ['VOUCH_DATABASE_URL mysql', { ...HTTPS, VOUCH_DATABASE_URL: 'mysql://x' }, /^VOUCH_DATABASE_URL .*sqlite:FILE/],
    ['VOUCH_DATABASE_URL empty', { ...HTTPS, VOUCH_DATABASE_URL: 'sqlite:' }, /^VOUCH_DATABASE_URL/],
    [
      'VOUCH_DATABASE_URL nowhere',
      { ...HTTPS, VOUCH_DATABASE_URL: 'sqlite:/nonexistent/x.db' },
      /a folder that exists/,
    ],
    ['VOUCH_DATABASE_URL //', { ...HTTPS, VOUCH_DATABASE_URL: 'sqlite://host/x' }, /^VOUCH_DATABASE_URL/],
    [
      'VOUCH_TRUST_PROXY name',
      { ...HTTPS, VOUCH_TRUST_PROXY: 'proxy.example' },
      /^VOUCH_TRUST_PROXY .*10\.1\.2\.0\/24/,
    ],
    ['VOUCH_TRUST_PROXY everybody', { ...HTTPS, VOUCH_TRUST_PROXY: '127.0.0.1 0.0.0.0/0' }, /"0\.0\.0\.0\/0"/],
    ['VOUCH_TRUST_PROXY empty', { ...HTTPS, VOUCH_TRUST_PROXY: ' ' }, /^VOUCH_TRUST_PROXY/],
    ['VOUCH_LISTEN text', { ...HTTPS, VOUCH_LISTEN: 'everywhere' }, /^VOUCH_LISTEN .*127.0.0.1:8080/],
    ['VOUCH_LISTEN port', { ...HTTPS, VOUCH_LISTEN: '65536' }, /^VOUCH_LISTEN/],
    ['VOUCH_LISTEN empty', { ...HTTPS, VOUCH_LISTEN: '' }, /^VOUCH_LISTEN/],
    ['VOUCH_MASTER_KEY missing', { VOUCH_ISSUER: HTTPS.VOUCH_ISSUER }, /^VOUCH_MASTER_KEY is not set.*openssl rand/],
    ['VOUCH_MASTER_KEY empty', { ...HTTPS, VOUCH_MASTER_KEY: '' }, /^VOUCH_MASTER_KEY is "\(0 bytes\)"/],
    ['VOUCH_MASTER_KEY short', { ...HTTPS, VOUCH_MASTER_KEY: 'c2hvcnQ=' }, /^VOUCH_MASTER_KEY is "\(5 bytes\)"/],
    [
      'VOUCH_MASTER_KEY words',
      { ...HTTPS, VOUCH_MASTER_KEY: `${'correct horse battery staple '.repeat(2)}` },
      /^VOUCH_MASTER_KEY/,
    ],
    [
      'VOUCH_MASTER_KEY_FILE',
      { VOUCH_ISSUER: HTTPS.VOUCH_ISSUER, VOUCH_MASTER_KEY_FILE: '/nowhere' },
      /^VOUCH_MASTER_KEY_FILE .*ENOENT/,
    ],
    ['VOUCH_SESSION_HOURS text', { ...HTTPS, VOUCH_SESSION_HOURS: 'eight' }, /^VOUCH_SESSION_HOURS .*0.25 to 24/],
    ['VOUCH_SESSION_HOURS 0', { ...HTTPS, VOUCH_SESSION_HOURS: '0' }, /^VOUCH_SESSION_HOURS/],
    ['VOUCH_SESSION_HOURS 25', { ...HTTPS, VOUCH_SESSION_HOURS: '25' }, /^VOUCH_SESSION_HOURS/],
    ['VOUCH_SESSION_HOURS -1', { ...HTTPS, VOUCH_SESSION_HOURS: '-1' }, /^VOUCH_SESSION_HOURS/],
    ['VOUCH_SESSION_HOURS 1e1', { ...HTTPS, VOUCH_SESSION_HOURS: '1e1' }, /^VOUCH_SESSION_HOURS/],
    ['VOUCH_AWS_AUDIENCE spaces', { ...HTTPS, VOUCH_AWS_AUDIENCE: 'a b' }, /^VOUCH_AWS_AUDIENCE .*1 to 255/],
    ['VOUCH_AWS_AUDIENCE long', { ...HTTPS, VOUCH_AWS_AUDIENCE: 'x'.repeat(256) }, /^VOUCH_AWS_AUDIENCE/],
    [
      'VOUCH_ALLOWED_AAGUIDS',
      { ...HTTPS, VOUCH_ALLOWED_AAGUIDS: 'YubiKey' },
      /^VOUCH_ALLOWED_AAGUIDS is "yubikey"; .*2fc0579f/,
    ],
    [
      'VOUCH_REQUIRE_ATTESTATION_CERT',
      { ...HTTPS, VOUCH_REQUIRE_ATTESTATION_CERT: 'yes' },
      /^VOUCH_REQUIRE_ATTESTATION_CERT .*true or false/,
    ],
    ['VOUCH_LOG_LEVEL', { ...HTTPS, VOUCH_LOG_LEVEL: 'loud' }, /^VOUCH_LOG_LEVEL .*one of trace/],
  ];
  for (const [name, settings, message] of wrong) {
    test(name, () => {
      expect(() => readConfig(settings)).toThrow(message);
    });
  }

  test('and the server does not start: status 2, one line, nothing made', async () => {
    const database = newDatabase();
    const settings = { VOUCH_ISSUER: 'https://vouch.example.com', VOUCH_DATABASE_URL: `sqlite:${database}` };
    for (const args of [['serve'], ['invite', 'alice@example.com']]) {
      const { code, stdout, stderr } = await vouchServer(args, settings);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^vouch-server: VOUCH_MASTER_KEY is not set; it should be [^\n]*\n$/);
    }
    expect(existsSync(database)).toBe(false);
  });

  test('without the secret in it', async () => {
    const secret = 'cGFzc3dvcmQ';
    const { code, stderr } = await vouchServer(['serve'], { ...HTTPS, VOUCH_MASTER_KEY: secret });
    expect(code).toBe(2);
    expect(stderr).not.toContain(secret);
  });
});

describe('starting', () => {
  async function start(settings: Record<string, string>): Promise<ServerProcess> {
    const server = await ServerProcess.start(settings);
    onTestFinished(() => server.end('SIGKILL'));
    return server;
  }

  test('on localhost makes a key file for its owner alone, and the database is its owner’s too', async () => {
    const database = newDatabase();
    const server = await start(await localSettings(database));
    for (const file of [database, `${database}.key`, `${database}-wal`, `${database}-shm`]) {
      expect([file, statSync(file).mode & 0o777]).toEqual([file, 0o600]);
    }
    expect(Buffer.from(readFileSync(`${database}.key`, 'utf8'), 'base64')).toHaveLength(32);
    await server.end('SIGTERM');
  });

  test('with https makes no key file', async () => {
    const database = newDatabase();
    const listen = String(await freePort());
    await start({ ...HTTPS, VOUCH_DATABASE_URL: `sqlite:${database}`, VOUCH_LISTEN: listen });
    expect(existsSync(`${database}.key`)).toBe(false);
  });

  test('again keeps the signing key; with another master key it does not start, and says why', async () => {
    const settings = await localSettings();
    const kid = async () => {
      const { keys } = (await (await fetch(`${settings.VOUCH_ISSUER}/jwks`)).json()) as { keys: { kid: string }[] };
      return keys.map((key) => key.kid);
    };
    const first = await start({ ...settings, VOUCH_MASTER_KEY: MASTER_KEY });
    const before = await kid();
    await first.end('SIGTERM');
    const { code, stderr } = await vouchServer(['serve'], {
      ...settings,
      VOUCH_MASTER_KEY: Buffer.alloc(32, 8).toString('base64'),
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/VOUCH_MASTER_KEY is not the one it was made with/);
    await start({ ...settings, VOUCH_MASTER_KEY: MASTER_KEY });
    expect(await kid()).toEqual(before);
  });

  test('refuses a key file that others may read, and one that holds no key', async () => {
    const open = newDatabase();
    writeFileSync(`${open}.key`, MASTER_KEY, { mode: 0o644 });
    const readable = await vouchServer(['serve'], await localSettings(open));
    expect([readable.code, readable.stderr]).toEqual([2, expect.stringContaining('chmod 600')]);
    const empty = newDatabase();
    writeFileSync(`${empty}.key`, '', { mode: 0o600 });
    const useless = await vouchServer(['serve'], await localSettings(empty));
    expect([useless.code, useless.stderr]).toEqual([2, expect.stringContaining('32 bytes in base64')]);
  });

  test('refuses a file that is no database, and a folder that is not there', async () => {
    const file = newDatabase();
    writeFileSync(file, 'not a database, but long enough to be taken for one'.repeat(100), { mode: 0o600 });
    const broken = await vouchServer(['serve'], await localSettings(file));
    expect([broken.code, broken.stderr]).toEqual([1, expect.stringMatching(/^vouch-server: .*not a database/)]);
    const nowhere = await vouchServer(['serve'], await localSettings(join(folder.path, 'nowhere', 'vouch.db')));
    expect([nowhere.code, nowhere.stderr]).toEqual([
      2,
      expect.stringMatching(/VOUCH_DATABASE_URL .*nowhere.*a folder that exists/),
    ]);
  });

  test('of 8 servers at once on an empty database: all start, and agree on one signing key', async () => {
    const database = newDatabase();
    const settings = await Promise.all(Array.from({ length: 8 }, () => localSettings(database)));
    await Promise.all(settings.map(start));
    const kids = await Promise.all(
      settings.map(async ({ VOUCH_ISSUER }) => {
        const { keys } = (await (await fetch(`${VOUCH_ISSUER}/jwks`)).json()) as { keys: { kid: string }[] };
        return keys.map((key) => key.kid).join();
      }),
    );
    expect(new Set(kids).size).toBe(1);
  });
});

describe('vouch-server invite', () => {
  test('prints the code, its end and what to do, while the server runs', async () => {
    const settings = await localSettings();
    const server = await ServerProcess.start(settings);
    onTestFinished(() => server.end('SIGKILL'));
    const { code, stdout, stderr } = await vouchServer(['invite', 'Alice@Example.com'], settings);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Invited alice@example.com\n {2}Invitation code {3}([0-9A-Z]{2,6}-){4}[0-9A-Z]+\n/);
    expect(stdout).toContain(`vouch enroll --server ${settings.VOUCH_ISSUER}`);
    const json = await vouchServer(['invite', 'alice@example.com', '--admin', '--json'], settings);
    expect(JSON.parse(json.stdout)).toEqual({
      email: 'alice@example.com',
      code: expect.any(String),
      expiresAt: expect.any(String),
    });
  });

  test('refuses an address with the reason, and a missing one with how it is called', async () => {
    const settings = await localSettings();
    const refused = await vouchServer(['invite', "o'neill@example.com"], settings);
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toMatch(/^vouch-server: The address holds "'"; AWS takes/);
    const missing = await vouchServer(['invite'], settings);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('Usage: vouch-server invite');
  });
});
