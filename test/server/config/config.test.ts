import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readAwsTrust, readConfig, readInstallation } from '../../../server/config/config.ts';
import { vouchServer } from '../program.ts';
import { HTTPS, MASTER_KEY, newDatabase } from '../settings.ts';

describe('the server needs only', () => {
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
      tls: undefined,
      masterKey: undefined,
      ownerEmail: undefined,
      sessionSeconds: 28_800,
      allowPaste: false,
      awsIssuer: 'http://localhost:3000',
      awsAudience: 'http://localhost:3000',
      awsSessionSeconds: 3600,
      keyRules: { allowed: undefined, mustProve: false, minLevel: undefined, roots: [] },
      fidoMetadata: undefined,
      trustedProxies: [],
      auditDays: 400,
      teamName: undefined,
      contact: undefined,
      metricsListen: undefined,
      traces: undefined,
      drainMs: 0,
      keyRotationDays: 90,
      logLevel: 'info',
    });
  });

  test('VOUCH_ISSUER and the master key, for https', () => {
    expect(readConfig({ ...HTTPS, VOUCH_ISSUER: 'https://VOUCH.example.com' })).toMatchObject({
      issuer: 'https://vouch.example.com',
      local: false,
      rpId: 'vouch.example.com',
      listen: [{ host: '127.0.0.1', port: 8080 }],
      masterKey: Buffer.from(MASTER_KEY, 'base64'),
    });
  });
});

test.each([
  ['true', true],
  ['false', false],
])('a code may be pasted as VOUCH_ALLOW_PASTE says: %s', (value, allowed) => {
  expect(readConfig({ ...HTTPS, VOUCH_ALLOW_PASTE: value }).allowPaste).toBe(allowed);
});

test.each(['', 'yes', '1', 'TRUE'])('VOUCH_ALLOW_PASTE is not read from %j', (value) => {
  expect(() => readConfig({ ...HTTPS, VOUCH_ALLOW_PASTE: value })).toThrow('VOUCH_ALLOW_PASTE');
});

test('no code can be pasted at https://localhost, for which oidc-provider takes no redirect URI', () => {
  const local = { ...HTTPS, VOUCH_ISSUER: 'https://localhost:8443' };
  expect(readConfig(local).allowPaste).toBe(false);
  expect(() => readConfig({ ...local, VOUCH_ALLOW_PASTE: 'true' })).toThrow('VOUCH_ALLOW_PASTE');
});

test('a session of 1.1 hours lasts a whole number of seconds, as tokens need', () => {
  expect(readConfig({ ...HTTPS, VOUCH_SESSION_HOURS: '1.1' }).sessionSeconds).toBe(3960);
});

test.each([
  [undefined, 90],
  ['1', 1],
  ['3650', 3650],
  ['off', undefined],
])('another signing key takes over as VOUCH_KEY_ROTATION_DAYS says: %s', (value, days) => {
  const settings = value === undefined ? {} : { VOUCH_KEY_ROTATION_DAYS: value };
  expect(readConfig({ ...HTTPS, ...settings }).keyRotationDays).toBe(days);
});

test.each([
  ['15', 900],
  ['720', 43_200],
])(
  'AWS credentials of %s minutes last %s seconds, for the server and for its commands',
  (minutes, awsSessionSeconds) => {
    const settings = { ...HTTPS, VOUCH_AWS_SESSION_MINUTES: minutes };
    for (const read of [readConfig, readInstallation, readAwsTrust])
      expect(read(settings)).toMatchObject({ awsSessionSeconds });
  },
);

test('the first owner’s address is read as people’s addresses are, for the server and for its commands', () => {
  const settings = { ...HTTPS, VOUCH_OWNER_EMAIL: ' Owner@Example.com' };
  for (const read of [readConfig, readInstallation]) {
    expect(read(settings)).toMatchObject({ ownerEmail: 'owner@example.com' });
  }
});

test('the team’s name and the contact are as the administrator wrote them, without blanks around', () => {
  const { teamName, contact } = readConfig({
    ...HTTPS,
    VOUCH_TEAM_NAME: ` ${'Ü'.repeat(60)} `,
    VOUCH_CONTACT: '#it-help on Slack',
  });
  expect(teamName).toBe('Ü'.repeat(60));
  expect(contact).toEqual({ text: '#it-help on Slack', link: undefined });
});

describe('a wrong setting is named, with what it should look like', () => {
  const wrong: [string, Record<string, string>, RegExp][] = [
    [
      'VOUCH_OWNER_EMAIL empty',
      { ...HTTPS, VOUCH_OWNER_EMAIL: '' },
      /^VOUCH_OWNER_EMAIL cannot be used: "" is not an e-mail/,
    ],
    [
      'VOUCH_OWNER_EMAIL with a letter that AWS refuses',
      { ...HTTPS, VOUCH_OWNER_EMAIL: "o'neill@example.com" },
      /^VOUCH_OWNER_EMAIL cannot be used: The address holds "'"; AWS takes/,
    ],
    ['VOUCH_DATABASE_URL in memory', { ...HTTPS, VOUCH_DATABASE_URL: 'sqlite::memory:' }, /^VOUCH_DATABASE_URL/],
    ['VOUCH_DATABASE_URL file:', { ...HTTPS, VOUCH_DATABASE_URL: 'sqlite:file:x?mode=memory' }, /^VOUCH_DATABASE_URL/],
    [
      'VOUCH_DATABASE_URL mysql',
      { ...HTTPS, VOUCH_DATABASE_URL: 'mysql://x:geheim@y' },
      /^VOUCH_DATABASE_URL is "mysql:\/\/…"; it should be sqlite:FILE.* or postgres:/,
    ],
    [
      'VOUCH_DATABASE_POOL without PostgreSQL',
      { ...HTTPS, VOUCH_DATABASE_POOL: '5' },
      /^VOUCH_DATABASE_POOL is set; it should be unset/,
    ],
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
    ...['0', '3651', '90.5', '1e2', '-1', ' 90', '', 'never'].map((value): [string, Record<string, string>, RegExp] => [
      `VOUCH_KEY_ROTATION_DAYS ${JSON.stringify(value)}`,
      { ...HTTPS, VOUCH_KEY_ROTATION_DAYS: value },
      /^VOUCH_KEY_ROTATION_DAYS is .*1 to 3650, or off/,
    ]),
    ['VOUCH_SESSION_HOURS text', { ...HTTPS, VOUCH_SESSION_HOURS: 'eight' }, /^VOUCH_SESSION_HOURS .*0.25 to 24/],
    ['VOUCH_SESSION_HOURS 0', { ...HTTPS, VOUCH_SESSION_HOURS: '0' }, /^VOUCH_SESSION_HOURS/],
    ['VOUCH_SESSION_HOURS 25', { ...HTTPS, VOUCH_SESSION_HOURS: '25' }, /^VOUCH_SESSION_HOURS/],
    ['VOUCH_SESSION_HOURS -1', { ...HTTPS, VOUCH_SESSION_HOURS: '-1' }, /^VOUCH_SESSION_HOURS/],
    ['VOUCH_SESSION_HOURS 1e1', { ...HTTPS, VOUCH_SESSION_HOURS: '1e1' }, /^VOUCH_SESSION_HOURS/],
    ...['14', '721', '60.5', '1e2', '-60', '0060', ' 60', ''].map((value): [string, Record<string, string>, RegExp] => [
      `VOUCH_AWS_SESSION_MINUTES ${JSON.stringify(value)}`,
      { ...HTTPS, VOUCH_AWS_SESSION_MINUTES: value },
      /^VOUCH_AWS_SESSION_MINUTES is .*15 to 720/,
    ]),
    ['VOUCH_AWS_AUDIENCE spaces', { ...HTTPS, VOUCH_AWS_AUDIENCE: 'a b' }, /^VOUCH_AWS_AUDIENCE .*1 to 255/],
    ['VOUCH_AWS_AUDIENCE long', { ...HTTPS, VOUCH_AWS_AUDIENCE: 'x'.repeat(256) }, /^VOUCH_AWS_AUDIENCE/],
    ['VOUCH_TEAM_NAME empty', { ...HTTPS, VOUCH_TEAM_NAME: '' }, /^VOUCH_TEAM_NAME is "".*1 to 60/],
    ['VOUCH_TEAM_NAME long', { ...HTTPS, VOUCH_TEAM_NAME: 'x'.repeat(61) }, /^VOUCH_TEAM_NAME/],
    ['VOUCH_TEAM_NAME invisible', { ...HTTPS, VOUCH_TEAM_NAME: 'A\u200bcme' }, /^VOUCH_TEAM_NAME/],
    ['VOUCH_CONTACT', { ...HTTPS, VOUCH_CONTACT: 'http://help.example.com' }, /^VOUCH_CONTACT .*https/],
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

  test('and the message does not repeat a secret', async () => {
    const secret = 'cGFzc3dvcmQ';
    const { code, stderr } = await vouchServer(['serve'], { ...HTTPS, VOUCH_MASTER_KEY: secret });
    expect(code).toBe(2);
    expect(stderr).not.toContain(secret);
  });
});
