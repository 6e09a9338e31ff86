import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { startProgram, vouchServer } from '../program.ts';
import { HTTPS, localSettings, MASTER_KEY, newDatabase } from '../settings.ts';

const codeAndTime = [expect.stringMatching(/^[-0-9A-Z]{30}$/), expect.stringMatching(/^\d{4}-.*Z$/)];
const where = (settings: Awaited<ReturnType<typeof localSettings>>) => [
  settings.VOUCH_ISSUER,
  settings.VOUCH_DATABASE_URL.slice('sqlite:'.length),
];

const folder = temporaryFolder();

describe('vouch-server invite', () => {
  test('prints the code, when it expires and what to do, while the server runs', async () => {
    const settings = await localSettings();
    await startProgram(settings);
    const { code, stdout, stderr } = await vouchServer(['invite', 'Alice@Example.com'], settings);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Invited alice@example.com\n {2}Invitation code {3}([0-9A-Z]{2,6}-){4}[0-9A-Z]+\n/);
    expect(stdout).toContain(`They run\n  vouch setup --server ${settings.VOUCH_ISSUER}\n`);
    const args = ['invite', 'alice@example.com', '--owner', '--end-date', '2099-12-31', '--json'];
    const json = await vouchServer(args, settings);
    expect(JSON.parse(json.stdout)).toEqual({
      email: 'alice@example.com',
      code: expect.any(String),
      expiresAt: expect.any(String),
      purpose: 'first-key',
      role: 'owner',
      endsAt: new Date(2100, 0, 1).toISOString(),
      server: settings.VOUCH_ISSUER,
      database: settings.VOUCH_DATABASE_URL?.slice('sqlite:'.length),
    });
  });

  test('invites several, from the command line or a file, or none of them', async () => {
    const settings = await localSettings();
    await startProgram(settings);
    const several = await vouchServer(['invite', 'alice@example.com', 'bob@example.com', '--owner'], settings);
    expect(several.stdout).toMatch(
      /^Invited 2 people, each for one key\n {2}alice@example\.com {2}[-0-9A-Z]{30} {2}until .*, as an owner\n {2}bob@example\.com {4}/,
    );
    const file = join(folder, 'people.csv');
    writeFileSync(file, 'email,end date\ncarol@example.com,2099-12-31\ndora@example.com,\n');
    const mail = await vouchServer(['invite', '--csv', file, '--format', 'csv'], settings);
    expect(mail.stdout.split('\r\n').map((line) => line.split(','))).toEqual([
      ['email', 'code', 'expiresAt', 'purpose', 'role', 'endsAt', 'server', 'database'],
      ['carol@example.com', ...codeAndTime, 'first-key', 'member', expect.stringMatching(/^2/), ...where(settings)],
      ['dora@example.com', ...codeAndTime, 'first-key', 'member', '', ...where(settings)],
      [''],
    ]);
    writeFileSync(file, 'erna@example.com\nalice\n');
    for (const args of [
      ['--csv', file],
      ['erna@example.com', 'alice'],
      ['--csv', '-'],
      ['--csv', '/nowhere/list'],
    ]) {
      const { code, stdout, stderr } = await vouchServer(['invite', ...args, '--json'], settings);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/Line 2: "alice" is not|^vouch-server: "alice" is not|has no lines|ENOENT/);
    }
    const listed = await vouchServer(['invite', 'list', '--json', '--limit', '3'], settings);
    const { invitations, next } = JSON.parse(listed.stdout) as { invitations: { email: string }[]; next: string };
    const rest = await vouchServer(['invite', 'list', '--after', next], settings);
    const emails = [...invitations.map(({ email }) => email), rest.stdout.split('\n')[1]?.split(' ')[0]];
    expect(emails.sort()).toEqual(['alice', 'bob', 'carol', 'dora'].map((name) => `${name}@example.com`));
  });

  test('says for what a code is when the person has a key, and lists, renews and revokes it', async () => {
    const settings = await localSettings();
    await startProgram(settings);
    const database = new DatabaseSync(settings.VOUCH_DATABASE_URL.slice('sqlite:'.length));
    onTestFinished(() => database.close());
    database.exec(`insert into people (id, email, user_handle, created_at) values ('p', 'zoe@example.com', 'h', 1);
      insert into keys (id, person_id, name, aaguid, public_key, counter, transports, created_at)
        values ('k', 'p', 'Work', 'a', '', 0, '[]', 1)`);
    const email = 'zoe@example.com';
    const further = await vouchServer(['invite', email], settings);
    expect(further.stdout).toMatch(/\n {2}For {15}a further key, which their key must confirm\n/);
    expect(further.stdout).toMatch(
      /If they no longer have that key, .*\n {2}vouch-server invite zoe@example\.com --replace-keys\n$/,
    );
    // The walk of `vouch setup` would skip the key on a machine that has seen one of hers.
    const enroll = `They run\n  vouch enroll --server ${settings.VOUCH_ISSUER}\n`;
    expect(further.stdout).toContain(enroll);
    const mixed = await vouchServer(['invite', email, 'new@example.com'], settings);
    expect(mixed.stdout).toContain(enroll);
    await vouchServer(['invite', 'revoke', 'new@example.com'], settings);
    const recovery = await vouchServer(['invite', email, '--replace-keys'], settings);
    expect(recovery.stdout).toMatch(/\n {2}Replaces {10}their key, and ends their sessions\n/);
    expect(recovery.stdout).toContain(
      'The invitation that they had is void.\nMake sure that zoe@example.com asked for this',
    );
    expect((await vouchServer(['invite', 'list', '--replace-keys'], settings)).stdout).toMatch(
      /^ADDRESS +FOR +STATE +BY\nzoe@example\.com {2}replacing all keys {2}open until .* {2}cli:\S+\n$/,
    );
    const renewed = await vouchServer(['invite', 'resend', email, '--json'], settings);
    expect(JSON.parse(renewed.stdout)).toMatchObject({ email, purpose: 'replace-keys' });
    const revoked = await vouchServer(['invite', 'revoke', email, '--json'], settings);
    expect(JSON.parse(revoked.stdout)).toEqual({ id: expect.any(String), email });
    const again = await vouchServer(['invite', 'revoke', email], settings);
    expect([again.code, again.stdout]).toEqual([1, '']);
    expect((await vouchServer(['invite', 'list'], settings)).stdout).toBe('None is open.\n');
    database.exec('update keys set removed_at = 1');
    const first = await vouchServer(['invite', email], settings);
    expect(first.stdout).toContain(enroll);
    expect(first.stdout).toContain('Make sure that zoe@example.com asked for this: anybody who has the code');
    database.exec('update people set disabled_at = 1');
    const refused = await vouchServer(['invite', email], settings);
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('vouch-server people enable zoe@example.com');
  });

  test('mistakes no subcommand for an address, and no option of one for the other’s', async () => {
    const settings = await localSettings();
    const cases: [string[], RegExp][] = [
      [['--owner', 'list'], /^error: --owner must come after 'list', if it has it\n/],
      [['--json', 'revoke', 'alice@example.com'], /^error: --json must come after 'revoke'/],
      [['list', '--owner'], /^error: unknown option '--owner'/],
      [['alice@example.com', 'list'], /^vouch-server: "list" is not an e-mail address/],
      [['lst'], /^vouch-server: "lst" is not an e-mail address/],
      [['alice@example.com', '--csv', '-'], /^error: give addresses or --csv, not both/],
      [['list', '--limit', '0'], /^error: option '--limit <number>' argument '0' is invalid/],
    ];
    for (const [args, said] of cases) {
      const { code, stdout, stderr } = await vouchServer(['invite', ...args], settings);
      expect([args, code, stdout]).toEqual([args, 2, '']);
      expect(stderr).toMatch(said);
    }
  });

  const unusable: [string, (file: string) => void, RegExp][] = [
    ['no database', () => {}, /There is no database .*\.db\.\n.*Start the server/s],
    ['an empty file', (file) => writeFileSync(file, ''), /There is no database .*\.db\.\n/],
    [
      'the database of another program',
      (file) => new DatabaseSync(file).exec('create table bookmarks (id integer)'),
      /\.db is not a Vouch database/,
    ],
    [
      'a database of a newer version',
      (file) =>
        new DatabaseSync(file).exec(
          "create table kysely_migration (name text); insert into kysely_migration values ('9')",
        ),
      /\.db belongs to a newer version of Vouch/,
    ],
  ];
  for (const [name, prepare, said] of unusable) {
    test(`makes no database if it finds ${name}, and names the path`, async () => {
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

  test('names the database, needs no master key, and refuses an issuer other than the database’s', async () => {
    const database = newDatabase();
    const settings = await localSettings(database);
    await startProgram({ ...settings, VOUCH_MASTER_KEY: MASTER_KEY });
    const { stdout } = await vouchServer(['invite', 'alice@example.com'], settings);
    expect(stdout).toContain(`  Database          ${database}\n`);
    const other = await vouchServer(['invite', 'alice@example.com'], await localSettings(database));
    expect([other.code, other.stdout]).toEqual([2, '']);
    expect(other.stderr).toContain(`Set VOUCH_ISSUER=${settings.VOUCH_ISSUER}`);
    const https = { ...settings, VOUCH_ISSUER: HTTPS.VOUCH_ISSUER };
    expect((await vouchServer(['invite', 'alice@example.com'], https)).code).toBe(2);
  });

  test('refuses a bad address with the reason, and a missing one with where the usage is', async () => {
    const settings = await localSettings();
    const refused = await vouchServer(['invite', "o'neill@example.com"], settings);
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toMatch(/^vouch-server: The address holds "'"; AWS takes/);
    const missing = await vouchServer(['invite'], settings);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("missing required argument 'email'");
    expect(missing.stderr).toContain('vouch-server invite --help');
  });
});
