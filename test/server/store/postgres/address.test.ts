import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../../server/config/config.ts';
import { nameOf, readAddress } from '../../../../server/store/postgres/address.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { HTTPS } from '../../settings.ts';

const folder = temporaryFolder();

test.each<[string, object]>([
  [
    'postgres://vouch@db.example.com/team',
    { host: 'db.example.com', port: 5432, user: 'vouch', database: 'team', tls: { rejectUnauthorized: true } },
  ],
  [
    'postgresql://u%40x:p%3A%2F@[2001:db8::1]:6543/a%2Fb?sslmode=require',
    {
      host: '2001:db8::1',
      port: 6543,
      user: 'u@x',
      password: 'p:/',
      database: 'a/b',
      tls: { rejectUnauthorized: false },
    },
  ],
  ['postgres://vouch@localhost/vouch', { host: 'localhost', tls: false }],
  ['postgres://vouch@localhost/vouch?sslmode=verify-full', { tls: { rejectUnauthorized: true } }],
  ['postgres://vouch@/vouch?host=/run/postgresql', { host: '/run/postgresql', user: 'vouch', tls: false }],
  ['postgres:///vouch?host=/run/postgresql&user=vouch&port=6000', { host: '/run/postgresql', port: 6000 }],
  ['postgres://vouch@%2Frun%2Fpostgresql/vouch', { host: '/run/postgresql', port: 5432 }],
])('%s', (url, expected) => {
  expect(readAddress(url)).toMatchObject(expected);
});

test('the name of a database has no password', () => {
  expect(nameOf(readAddress('postgres://vouch:geheim@[::1]:6543/team'))).toBe('postgres://vouch@[::1]:6543/team');
});

const wrong: [string, RegExp][] = [
  ['postgres://vouch:geheim@/vouch', /no host/],
  ['postgres://vouch:geheim@host', /no database/],
  ['postgres://vouch:geheim@host/', /no database/],
  ['postgres://:geheim@host/vouch', /no user/],
  ['postgres:vouch:geheim', /URL/],
  ['postgres://vouch:geheim@a,b/vouch', /several hosts|no URL/],
  ['postgres://vouch:geheim@host:0/vouch', /port/],
  ['postgres://vouch:geheim@host:99999/vouch', /URL/],
  ['postgres://vouch:geheim@host/vouch#x', /%23/],
  ['postgres://vouch:geheim%zz@host/vouch', /%/],
  ['postgres://vouch:geheim@host/vouch?sslmode=prefer', /sslmode=prefer.*disable, require, verify-ca, verify-full/],
  ['postgres://vouch:geheim@host/vouch?sslmode=allow', /sslmode=allow/],
  ['postgres://vouch:geheim@host/vouch?sslmode=', /sslmode=/],
  ['postgres://vouch:geheim@host/vouch?sslmode=require&sslmode=disable', /twice/],
  ['postgres://vouch:geheim@host/vouch?password=geheim', /the parameter password/],
  ['postgres://vouch:geheim@host/vouch?options=-csearch_path%3Dx', /the parameter options/],
  ['postgres://vouch:geheim@host/vouch?sslmode=disable&sslrootcert=/x', /no TLS/],
  ['postgres://vouch:geheim@host/vouch?sslrootcert=/nowhere', /ENOENT/],
  ['postgres://vouch:geheim@host/vouch?sslrootcert={garbage}', /PEM/],
  ['postgres://vouch:geheim@host/vouch?sslcert={garbage}', /both/],
  ['postgres://vouch@/vouch?host=/run&sslmode=require', /no TLS/],
];

describe('refused, and never shown', () => {
  test.each(wrong)('%s', (url, said) => {
    const garbage = join(folder, 'garbage.pem');
    writeFileSync(garbage, 'no certificate');
    const settings = { ...HTTPS, VOUCH_DATABASE_URL: url.replace('{garbage}', garbage) };
    let thrown: unknown;
    try {
      readConfig(settings);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ kind: 'setting-refused', what: expect.stringMatching(said) });
    expect(String((thrown as Error).message)).toMatch(/^VOUCH_DATABASE_URL /);
    expect(JSON.stringify([thrown, (thrown as Error).message])).not.toContain('geheim');
  });

  const settings: [string, Record<string, string>, RegExp][] = [
    [
      'a password in two places',
      { VOUCH_DATABASE_PASSWORD_FILE: '/x', VOUCH_DATABASE_PASSWORD_COMMAND: 'x' },
      /only one/,
    ],
    ['one connection', { VOUCH_DATABASE_POOL: '1' }, /VOUCH_DATABASE_POOL/],
    ['no number of connections', { VOUCH_DATABASE_POOL: 'many' }, /VOUCH_DATABASE_POOL/],
  ];
  test.each(settings)('%s', (_, more, said) => {
    const read = () => readConfig({ ...HTTPS, VOUCH_DATABASE_URL: 'postgres://vouch@host/vouch', ...more });
    expect(read).toThrow(said);
  });

  test('a password in the URL and elsewhere', () => {
    const more = { VOUCH_DATABASE_URL: 'postgres://vouch:geheim@host/vouch', VOUCH_DATABASE_PASSWORD_FILE: '/x' };
    expect(() => readConfig({ ...HTTPS, ...more })).toThrow(/a URL with a password/);
  });

  test('PostgreSQL’s settings for SQLite, where they would have no effect', () => {
    expect(() => readConfig({ ...HTTPS, VOUCH_DATABASE_POOL: '5' })).toThrow(/VOUCH_DATABASE_POOL/);
  });

  test('no master key: there is no folder to keep one in', () => {
    const settings = { VOUCH_ISSUER: 'http://localhost:3000', VOUCH_DATABASE_URL: 'postgres://vouch@host/vouch' };
    expect(() => readConfig(settings)).toThrow(/VOUCH_MASTER_KEY/);
  });
});
