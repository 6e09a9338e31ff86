import { createHash, randomUUID } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { readConfig } from '../../../server/config/config.ts';
import { SETTINGS } from '../../../server/config/setting-names.ts';
import { cleanEnvironment } from '../../support/clean-environment.ts';
import { freePort } from '../../support/free-port.ts';
import { run } from '../../support/run.ts';
import { ServerProcess, vouchServer } from '../program.ts';
import { temporaryFolder } from '../support.ts';

/** As a random one looks, and the same in every run. */
const MASTER_KEY = createHash('sha256').update('a key').digest('base64');
const OTHER_KEY = createHash('sha256').update('another key').digest('base64');
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

/** Gives a folder to a user as a service has one, where that can be done. @returns whose it is now */
function becomeService(home: string): number | undefined {
  const me = process.getuid?.();
  if (me !== 0) return me;
  // The way to it, too.
  for (const way of [folder.path, dirname(folder.path)]) chmodSync(way, statSync(way).mode | 0o011);
  lchownSync(home, 54_321, 54_321);
  return 54_321;
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
      database: expect.objectContaining({ name: resolve('vouch.db'), masterKeyFile: resolve('vouch.db.key') }),
      listen: [
        { host: '127.0.0.1', port: 3000 },
        { host: '::1', port: 3000, optional: true },
      ],
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
      listen: [{ host: '127.0.0.1', port: 8080 }],
      masterKey: Buffer.from(MASTER_KEY, 'base64'),
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
    ...[
      'https://com',
      'https://vouch',
      'https://vouch.example.com.',
      'https://a_b.example.com',
      'https://a..example.com',
    ].map((value): [string, Record<string, string>, RegExp] => [
      `VOUCH_ISSUER ${value}`,
      { ...HTTPS, VOUCH_ISSUER: value },
      /^VOUCH_ISSUER .* two labels or more/,
    ]),
    ['VOUCH_ISSUER with a label too long', { VOUCH_ISSUER: `https://${'a'.repeat(64)}.com` }, /two labels or more/],
    ['VOUCH_DATABASE_URL in memory', { ...HTTPS, VOUCH_DATABASE_URL: 'sqlite::memory:' }, /^VOUCH_DATABASE_URL/],
    ['VOUCH_DATABASE_URL file:', { ...HTTPS, VOUCH_DATABASE_URL: 'sqlite:file:x?mode=memory' }, /^VOUCH_DATABASE_URL/],
    ['VOUCH_DATABASE_URL mysql', { ...HTTPS, VOUCH_DATABASE_URL: 'mysql://x' }, /^VOUCH_DATABASE_URL .*sqlite:FILE/],
    ['VOUCH_DATABASE_URL empty', { ...HTTPS, VOUCH_DATABASE_URL: 'sqlite:' }, /^VOUCH_DATABASE_URL/],
    [
      'VOUCH_DATABASE_URL nowhere',
      { ...HTTPS, VOUCH_DATABASE_URL: `sqlite:${import.meta.filename}/x.db` },
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
    ...[
      Buffer.alloc(32),
      Buffer.alloc(32, 255),
      Buffer.from('01'.repeat(16), 'latin1'),
      Buffer.from([...Array(32).keys()]),
    ].map((key): [string, Record<string, string>, RegExp] => [
      `VOUCH_MASTER_KEY ${key.toString('hex')}`,
      { ...HTTPS, VOUCH_MASTER_KEY: key.toString('base64') },
      /^VOUCH_MASTER_KEY is "\(the same bytes .*openssl rand/,
    ]),
    ['VOUCH_MASTER_KEY with more', { ...HTTPS, VOUCH_MASTER_KEY: `!${MASTER_KEY}` }, /^VOUCH_MASTER_KEY/],
    [
      'VOUCH_MASTER_KEY twice',
      { ...HTTPS, VOUCH_MASTER_KEY_FILE: import.meta.filename },
      /^VOUCH_MASTER_KEY_FILE .*one of them/,
    ],
    [
      'VOUCH_AWS_AUDIENCE of the client',
      { ...HTTPS, VOUCH_AWS_AUDIENCE: 'vouch-cli' },
      /^VOUCH_AWS_AUDIENCE .*an audience for AWS alone/,
    ],
    [
      'VOUCH_AWS_AUDIENCE of the API',
      { ...HTTPS, VOUCH_AWS_AUDIENCE: 'https://vouch.example.com/api' },
      /^VOUCH_AWS_AUDIENCE .*an audience for AWS alone/,
    ],
    [
      'VOUCH_MASTER_KEY_FILE',
      { VOUCH_ISSUER: HTTPS.VOUCH_ISSUER, VOUCH_MASTER_KEY_FILE: `${import.meta.filename}.none` },
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
    ['VOUCH_ALLOWED_AAGUIDS empty', { ...HTTPS, VOUCH_ALLOWED_AAGUIDS: '' }, /^VOUCH_ALLOWED_AAGUIDS is ""; .*unset/],
    ['VOUCH_ALLOWED_AAGUIDS of commas', { ...HTTPS, VOUCH_ALLOWED_AAGUIDS: ' , ' }, /^VOUCH_ALLOWED_AAGUIDS .*unset/],
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
    const { code, stdout, stderr } = await vouchServer(['serve'], settings);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^vouch-server: VOUCH_MASTER_KEY is not set; it should be [^\n]*\n$/);
    expect(existsSync(database)).toBe(false);
  });

  test('without the secret in it', async () => {
    const secret = 'cGFzc3dvcmQ';
    const { code, stderr } = await vouchServer(['serve'], { ...HTTPS, VOUCH_MASTER_KEY: secret });
    expect(code).toBe(2);
    expect(stderr).not.toContain(secret);
  });
});

test('every setting that is read is known, and in the docs', () => {
  const read = new Set<string>();
  const watch = (env: Record<string, string>) =>
    readConfig(
      new Proxy(env, {
        get: (target, name) => {
          if (String(name).startsWith('VOUCH_')) read.add(String(name));
          return Reflect.get(target, name) as string | undefined;
        },
      }),
    );
  watch(HTTPS);
  watch({ VOUCH_ISSUER: 'http://localhost:3000' });
  expect([...read].sort()).toEqual([...SETTINGS].sort());
  const docs = readFileSync(join(import.meta.dirname, '../../../docs/administration.md'), 'utf8');
  const table = docs.split('\n').filter((line) => line.startsWith('| `VOUCH_'));
  const documented = table.flatMap((line) => line.split('|')[1]?.match(/VOUCH_\w+/g) ?? []);
  expect(documented.sort()).toEqual([...SETTINGS].sort());
});

describe('a name that is no setting is refused, and the nearest one is named', () => {
  const names: [string, string][] = [
    ['VOUCH_ISUER', 'VOUCH_ISSUER'],
    ['VOUCH_AWS_AUDIANCE', 'VOUCH_AWS_AUDIENCE'],
    ['VOUCH_MASTERKEY_FILE', 'VOUCH_MASTER_KEY_FILE'],
    ['VOUCH_ALLOWED_AAGUID', 'VOUCH_ALLOWED_AAGUIDS'],
    ['VOUCH_REQUIRE_ATTESTATION', 'VOUCH_REQUIRE_ATTESTATION_CERT'],
    ['VOUCH_PORT', 'VOUCH_'],
  ];
  for (const [name, near] of names) {
    test(name, async () => {
      expect(() => readConfig({ ...HTTPS, [name]: '8080' })).toThrow(
        new RegExp(`^${name} is not a setting of the server; the nearest one is ${near}`),
      );
    });
  }

  test('by every command', async () => {
    const template = ['aws-template', '--format', 'cli', '--account', '123456789012', '--domain', 'example.com'];
    for (const args of [['serve'], ['invite', 'alice@example.com'], template]) {
      const { code, stdout, stderr } = await vouchServer(args, { ...HTTPS, VOUCH_AWS_AUDIANCE: 'aws' });
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^vouch-server: VOUCH_AWS_AUDIANCE .*VOUCH_AWS_AUDIENCE/);
    }
  });

  test('and not what a shell with `vouch status`, Kubernetes or Docker has there', () => {
    const others = {
      VOUCH_SESSION: 'yes',
      VOUCH_EMAIL: 'alice@example.com',
      VOUCH_EXPIRES_AT: '1',
      VOUCH_SERVER: 'https://vouch.example.com',
      VOUCH_PROMPT: 'vouch 1h',
      VOUCH_SERVICE_HOST: '10.0.0.1',
      VOUCH_SERVICE_PORT: '80',
      VOUCH_SERVICE_PORT_HTTP: '80',
      VOUCH_SERVER_SERVICE_HOST: '10.0.0.2',
      VOUCH_PORT: 'tcp://10.0.0.1:80',
      VOUCH_PORT_80_TCP: 'tcp://10.0.0.1:80',
      VOUCH_PORT_80_TCP_PROTO: 'tcp',
      VOUCHER: 'x',
    };
    expect(readConfig({ ...HTTPS, ...others })).toEqual(readConfig(HTTPS));
  });
});

describe('where it listens', () => {
  const local = 'http://localhost:3000';
  const both = ['127.0.0.1:3000', '::1:3000?'];
  const cases: [string, string | undefined, string[]][] = [
    // A browser that is sent to http://localhost:3000 tries both: another user's program may have neither.
    [local, undefined, both],
    [local, '3000', both],
    [local, '127.0.0.1:3000', both],
    [local, 'localhost:3000', both],
    [local, 'LOCALHOST:3000', both],
    [local, '[::1]:3000', ['127.0.0.1:3000', '::1:3000']],
    [local, '0.0.0.0:3000', ['0.0.0.0:3000', '::1:3000?']],
    [local, '192.0.2.1:3000', ['192.0.2.1:3000', ...both]],
    // Both, in one socket.
    [local, '[::]:3000', [':::3000']],
    // Something else holds the issuer's port.
    [local, '127.0.0.1:4000', ['127.0.0.1:4000']],
    [local, '4000', ['127.0.0.1:4000']],
    [HTTPS.VOUCH_ISSUER, undefined, ['127.0.0.1:8080']],
    [HTTPS.VOUCH_ISSUER, '[::1]:8080', ['::1:8080']],
    [HTTPS.VOUCH_ISSUER, 'localhost:8080', ['127.0.0.1:8080', '::1:8080?']],
  ];
  test.each(cases)('with %s and VOUCH_LISTEN %s', (issuer, listen, expected) => {
    const settings = { ...HTTPS, VOUCH_ISSUER: issuer, ...(listen === undefined ? {} : { VOUCH_LISTEN: listen }) };
    const addresses = readConfig(settings).listen;
    expect(addresses.map(({ host, port, optional }) => `${host}:${port}${optional ? '?' : ''}`)).toEqual(expected);
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
      VOUCH_MASTER_KEY: OTHER_KEY,
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
    expect([useless.code, useless.stderr]).toEqual([2, expect.stringContaining('32 random bytes in base64')]);
  });

  test('does not replace a key file that is gone, and says what to do', async () => {
    const database = newDatabase();
    const settings = await localSettings(database);
    await (await start(settings)).end('SIGTERM');
    const key = readFileSync(`${database}.key`, 'utf8');
    unlinkSync(`${database}.key`);
    const { code, stderr } = await vouchServer(['serve'], settings);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^vouch-server: The key file .*\.key is gone\.\n.*backup/s),
    ]);
    expect(existsSync(`${database}.key`)).toBe(false);
    await (await start({ ...settings, VOUCH_MASTER_KEY: key })).end('SIGTERM');
    writeFileSync(`${database}.key`, key, { mode: 0o600 });
    await start(settings);
  });

  test('refuses another issuer than the database’s', async () => {
    const database = newDatabase();
    const first = await localSettings(database);
    await (await start(first)).end('SIGTERM');
    const { code, stderr } = await vouchServer(['serve'], await localSettings(database));
    expect(code).toBe(2);
    expect(stderr).toContain(`${database} belongs to ${first.VOUCH_ISSUER}`);
    expect(stderr).toContain(`Set VOUCH_ISSUER=${first.VOUCH_ISSUER}`);
    await start(first);
  });

  test('says which version it is, first of all', async () => {
    const server = await start(await localSettings());
    const [first = ''] = server.output.split('\n');
    expect(JSON.parse(first)).toMatchObject({ msg: 'starting', version: manifest.version });
    expect((await vouchServer(['--version'], {})).stdout).toBe(`${manifest.version}\n`);
  });

  test('writes nothing more where DEBUG is set: an address may hold a ticket', async () => {
    const settings = await localSettings();
    const server = await start({ ...settings, DEBUG: '*' });
    const body = '{"word":"bodyword"}';
    const headers = { 'content-type': 'application/json' };
    await fetch(`${settings.VOUCH_ISSUER}/enroll/ticketword/open`, { method: 'POST', headers, body });
    await fetch(`${settings.VOUCH_ISSUER}/auth?client_id=vouch-cli&request_uri=uriword`, { redirect: 'manual' });
    await server.end('SIGTERM');
    expect(server.output).toMatch(/"path":"\/enroll"/);
    expect(server.output).not.toMatch(/ticketword|bodyword|uriword/);
  });

  test('by root in the folder of the service’s own user leaves files of that user', async () => {
    const home = join(folder.path, 'service');
    mkdirSync(home, { mode: 0o700 });
    const owner = becomeService(home);
    const settings = await localSettings(join(home, 'vouch.db'));
    const server = await start(settings);
    expect((await vouchServer(['invite', 'alice@example.com'], settings)).code).toBe(0);
    expect(readdirSync(home).sort()).toEqual(['vouch.db', 'vouch.db-shm', 'vouch.db-wal', 'vouch.db.key']);
    for (const file of readdirSync(home)) expect([file, statSync(join(home, file)).uid]).toEqual([file, owner]);
    await server.end('SIGKILL');
    expect((await vouchServer(['invite', 'bob@example.com'], settings)).code).toBe(0);
    for (const file of readdirSync(home)) expect([file, statSync(join(home, file)).uid]).toEqual([file, owner]);
  });

  test('by root makes nothing, and changes nothing, where a link in the service’s folder leads', async () => {
    const home = mkdtempSync(join(folder.path, 'service-'));
    const elsewhere = mkdtempSync(join(folder.path, 'elsewhere-'));
    const owner = becomeService(home);
    const database = join(home, 'vouch.db');
    const settings = await localSettings(database);
    symlinkSync(join(elsewhere, 'new'), database);
    expect((await vouchServer(['serve'], settings)).code).toBe(1);
    expect(readdirSync(elsewhere)).toEqual([]);
    rmSync(database);
    symlinkSync(join(elsewhere, 'old'), database);
    writeFileSync(join(elsewhere, 'old'), 'not the service’s', { mode: 0o644 });
    expect((await vouchServer(['serve'], settings)).code).toBe(1);
    const { mode, uid } = statSync(join(elsewhere, 'old'));
    expect([uid, readFileSync(join(elsewhere, 'old'), 'utf8')]).toEqual([process.getuid?.(), 'not the service’s']);
    // Who is not root may do with their own file what they like.
    if (owner !== process.getuid?.()) expect(mode & 0o777).toBe(0o644);
  });

  describe('root’s commands go on as', () => {
    /** Which user a process of ours is after it has become a database's owner, and no more than that user. */
    const become = async (file: string): Promise<number> => {
      const source = join(import.meta.dirname, '../../../server/store/sqlite/owner.ts');
      const script = `import { becomeOwnerOf } from ${JSON.stringify(source)};
        becomeOwnerOf(${JSON.stringify(file)});
        process.stdout.write([process.getuid(), process.getgid(), process.getgroups()].join(' '));`;
      const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', script], {
        env: cleanEnvironment({}),
      });
      expect(stderr).toBe('');
      const [user, ...groups] = stdout.split(' ');
      if (user !== String(process.getuid?.())) expect(groups).toEqual([user, user]);
      return Number(user);
    };
    const me = process.getuid?.();

    test('the database’s owner', async () => {
      const file = join(mkdtempSync(join(folder.path, 'owned-')), 'vouch.db');
      writeFileSync(file, '');
      const owner = becomeService(file);
      expect(await become(file)).toBe(owner);
      // Root's own link in root's own folder.
      symlinkSync(file, `${file}.link`);
      expect(await become(`${file}.link`)).toBe(owner);
    });

    test('the folder’s owner, whatever is or will be in it that is root’s', async () => {
      const home = mkdtempSync(join(folder.path, 'owned-'));
      const roots = join(folder.path, `roots-${randomUUID()}`);
      writeFileSync(roots, '');
      writeFileSync(join(home, 'file'), '');
      symlinkSync(roots, join(home, 'link'));
      const owner = becomeService(home);
      for (const name of ['none', 'file', 'link'])
        expect([name, await become(join(home, name))]).toEqual([name, owner]);
    });

    test('the owner of a link, not of what it leads to', async () => {
      const home = mkdtempSync(join(folder.path, 'owned-'));
      const [roots, link] = [join(home, 'roots'), join(home, 'vouch.db')];
      writeFileSync(roots, '');
      symlinkSync(roots, link);
      expect(await become(link)).toBe(me);
      const owner = becomeService(link);
      expect(await become(link)).toBe(owner);
    });

    test('themselves in a folder of their own', async () => {
      const home = mkdtempSync(join(folder.path, 'own-'));
      expect(await become(join(home, 'vouch.db'))).toBe(me);
    });
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
    const settings = await localSettings(database);
    const ports = await Promise.all(Array.from({ length: 8 }, freePort));
    await Promise.all(ports.map((port) => start({ ...settings, VOUCH_LISTEN: `127.0.0.1:${port}` })));
    const kids = await Promise.all(ports.map((port) => kidsAt(port, settings.VOUCH_ISSUER)));
    expect(new Set(kids).size).toBe(1);
  });
});

/** The keys that a server shows, asked at another port than its issuer's. */
function kidsAt(port: number, issuer = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { host: new URL(issuer).host };
    const asked = request({ host: '127.0.0.1', port, path: '/jwks', headers }, async (response) => {
      const { keys } = (await json(response)) as { keys: { kid: string }[] };
      resolve(keys.map((key) => key.kid).join());
    });
    asked.once('error', reject);
    asked.end();
  });
}

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
      database: settings.VOUCH_DATABASE_URL?.slice('sqlite:'.length),
    });
  });

  const nothing: [string, (file: string) => void, RegExp][] = [
    ['no database', () => {}, /There is no database .*\.db\.\n.*Start the server/s],
    ['an empty one', (file) => writeFileSync(file, ''), /There is no database .*\.db\.\n/],
    [
      'another program’s',
      (file) => new DatabaseSync(file).exec('create table bookmarks (id integer)'),
      /\.db is not a Vouch database/,
    ],
    [
      'one of another version',
      (file) =>
        new DatabaseSync(file).exec(
          "create table kysely_migration (name text); insert into kysely_migration values ('9')",
        ),
      /\.db belongs to another version of Vouch/,
    ],
  ];
  for (const [name, prepare, said] of nothing) {
    test(`makes no database where there is ${name}, and names the place`, async () => {
      const database = newDatabase();
      prepare(database);
      const before = existsSync(database) ? readFileSync(database) : undefined;
      const { code, stdout, stderr } = await vouchServer(
        ['invite', 'alice@example.com'],
        await localSettings(database),
      );
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(said);
      expect(stderr).toContain(database);
      expect(existsSync(database) ? readFileSync(database) : undefined).toEqual(before);
      expect(existsSync(`${database}.key`)).toBe(false);
    });
  }

  test('names the database, needs no master key, and refuses another issuer than the database’s', async () => {
    const database = newDatabase();
    const settings = await localSettings(database);
    const server = await ServerProcess.start({ ...settings, VOUCH_MASTER_KEY: MASTER_KEY });
    onTestFinished(() => server.end('SIGKILL'));
    const { stdout } = await vouchServer(['invite', 'alice@example.com'], settings);
    expect(stdout).toContain(`  Database          ${database}\n`);
    const other = await vouchServer(['invite', 'alice@example.com'], await localSettings(database));
    expect([other.code, other.stdout]).toEqual([2, '']);
    expect(other.stderr).toContain(`Set VOUCH_ISSUER=${settings.VOUCH_ISSUER}`);
    const https = { ...settings, VOUCH_ISSUER: HTTPS.VOUCH_ISSUER };
    expect((await vouchServer(['invite', 'alice@example.com'], https)).code).toBe(2);
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
