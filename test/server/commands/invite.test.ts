import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { startProgram, vouchServer } from '../program.ts';
import { HTTPS, localSettings, MASTER_KEY, newDatabase } from '../settings.ts';

describe('vouch-server invite', () => {
  test('prints the code, when it expires and what to do, while the server runs', async () => {
    const settings = await localSettings();
    await startProgram(settings);
    const { code, stdout, stderr } = await vouchServer(['invite', 'Alice@Example.com'], settings);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Invited alice@example.com\n {2}Invitation code {3}([0-9A-Z]{2,6}-){4}[0-9A-Z]+\n/);
    expect(stdout).toContain(`vouch enroll --server ${settings.VOUCH_ISSUER}`);
    const json = await vouchServer(['invite', 'alice@example.com', '--owner', '--json'], settings);
    expect(JSON.parse(json.stdout)).toEqual({
      email: 'alice@example.com',
      code: expect.any(String),
      expiresAt: expect.any(String),
      database: settings.VOUCH_DATABASE_URL?.slice('sqlite:'.length),
    });
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
      'a database of another version',
      (file) =>
        new DatabaseSync(file).exec(
          "create table kysely_migration (name text); insert into kysely_migration values ('9')",
        ),
      /\.db belongs to another version of Vouch/,
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

  test('refuses a bad address with the reason, and a missing one with the usage', async () => {
    const settings = await localSettings();
    const refused = await vouchServer(['invite', "o'neill@example.com"], settings);
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toMatch(/^vouch-server: The address holds "'"; AWS takes/);
    const missing = await vouchServer(['invite'], settings);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('Usage: vouch-server invite');
  });
});
