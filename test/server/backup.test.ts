import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { makeDatabase } from './engines.ts';
import { program, startProgram, vouchServer } from './program.ts';
import { localSettings } from './settings.ts';
import { SoftKey } from './soft-key.ts';
import { Enrolment, expectProblem, jsonOf, signIn } from './support.ts';

const folder = temporaryFolder();
const newFolder = () => mkdtempSync(join(folder, 'f-'));

/** A database's own files and the key's; whatever else is in the folder was left behind. */
const filesOf = (database: string) =>
  readdirSync(dirname(database)).filter((name) => !/^vouch\.db(-wal|-shm|\.key)?$/.test(name));

type Settings = Record<string, string>;

async function succeed(args: string[], settings: Settings) {
  const ran = await vouchServer(args, settings);
  expect(ran, args.join(' ')).toMatchObject({ code: 0 });
  return ran.stdout;
}

async function json<Shape = Record<string, unknown>>(args: string[], settings: Settings): Promise<Shape> {
  return JSON.parse(await succeed([...args, '--json'], settings)) as Shape;
}

async function invite(email: string, settings: Settings): Promise<string> {
  return (await json<{ code: string }>(['invite', email], settings)).code;
}

async function enrol(origin: string, code: string): Promise<SoftKey> {
  // Two sign-ins at once would get their signatures' numbers there in the wrong order.
  const key = new SoftKey(origin, { counts: false });
  await jsonOf(await (await Enrolment.open(origin, code)).register(key));
  return key;
}

test('a backup under load, a crash and a restore: who had a key signs in again, and nothing of the past comes back open', async () => {
  const home = newFolder();
  const database = join(home, 'vouch.db');
  const settings = await localSettings(database);
  const origin = settings.VOUCH_ISSUER;
  const first = await startProgram(settings);
  const key = await enrol(origin, await invite('alice@example.com', settings));
  const { client, access_token: before } = await signIn(origin, key);
  const forBob = await invite('bob@example.com', settings);

  const backup = join(newFolder(), 'vouch.backup');
  let backups = 0;
  let signIns = 0;
  const load = async () => {
    while (backups < 2) {
      await signIn(origin, key);
      signIns += 1;
    }
  };
  const repeatedly = async () => {
    for (; backups < 2; backups += 1) await json(['backup', backup, '--force'], settings);
  };
  await Promise.all([load(), load(), repeatedly()]);
  expect(signIns).toBeGreaterThan(1);
  const made = await json<{ lastId: number }>(['restore', backup, '--dry-run'], settings);

  // What the backup does not know.
  const bob = await enrol(origin, forBob);
  await succeed(['people', 'disable', 'alice@example.com'], settings);
  const checkpoint = join(home, 'checkpoint');
  writeFileSync(checkpoint, await succeed(['audit', 'checkpoint'], settings));
  await first.end('SIGKILL');

  const restored = await json<{ lost: { event: string; subject: string }[]; before: string }>(
    ['restore', backup, '--replace'],
    settings,
  );
  expect(restored).toMatchObject({
    restored: true,
    whole: true,
    people: 1,
    keys: 1,
    lastId: made.lastId,
    invitationsVoided: 1,
    lostAuditRows: expect.any(Number),
  });
  expect(restored.lost.map(({ event, subject }) => `${event} ${subject}`)).toEqual(
    expect.arrayContaining(['enrolled bob@example.com', 'person-disabled alice@example.com']),
  );
  expect(existsSync(restored.before)).toBe(true);
  expect(statSync(database).mode & 0o777).toBe(0o600);

  await startProgram(settings);
  await expectProblem(await client.api('GET', '/api/session', before), 401, 'session-over');
  const { client: again, access_token } = await signIn(origin, key);
  expect(await jsonOf(await again.api('GET', '/api/session', access_token))).toMatchObject({
    email: 'alice@example.com',
  });
  await expect(signIn(origin, bob)).rejects.toThrow();
  const reopened = await Enrolment.start(origin, forBob).catch((error: Error) => error.message);
  expect(reopened).toContain('invitation-refused');

  expect(await succeed(['audit', 'verify'], settings)).toContain('The audit trail is whole');
  const compared = await vouchServer(['audit', 'verify', '--checkpoint', checkpoint], settings);
  expect(compared.code).toBe(1);
  expect(compared.stderr).toContain(`from a backup that ended with row ${made.lastId}.`);
});

describe('with a database that is not in use', async () => {
  const home = newFolder();
  const database = join(home, 'vouch.db');
  const settings = await localSettings(database);
  const backup = join(folder, 'vouch.backup');

  test('the backup is whole, in one file that only its owner reads, and takes no other file’s place', async () => {
    const server = await startProgram(settings);
    await invite('alice@example.com', settings);
    await server.end('SIGTERM');
    const made = await json(['backup', backup], settings);
    expect(made).toMatchObject({ whole: true, auditRows: 1, lastId: 1, bytes: statSync(backup).size });
    expect([statSync(backup).mode & 0o777, statSync(backup).uid]).toEqual([0o600, process.getuid?.()]);
    const content = readFileSync(backup);
    const again = await vouchServer(['backup', backup], settings);
    expect(again).toMatchObject({ code: 2, stdout: '' });
    expect(again.stderr).toContain('already');
    expect(readFileSync(backup).equals(content)).toBe(true);
    expect((await vouchServer(['backup', folder], settings)).code).toBe(2);
    expect((await vouchServer(['backup', join(folder, 'none', 'x')], settings)).code).toBe(2);
    // Like a device, of which root would deprive the whole machine.
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const irregular = await vouchServer(['backup', fifo, '--force'], settings);
    expect([irregular.code, irregular.stderr]).toEqual([2, expect.stringContaining(`${fifo} is no regular file.`)]);
    expect(statSync(fifo).isFIFO()).toBe(true);
    expect(filesOf(database)).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });

  test('Ctrl-C while somebody reads it slowly leaves no copy beside the database', async () => {
    const child = spawn(process.execPath, [program, 'backup', '-'], {
      env: cleanEnvironment(settings),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(child, 'exit');
    await once(child.stdout, 'readable');
    expect(filesOf(database)).toEqual([expect.stringMatching(/^vouch\.db\.copy-/)]);
    child.kill('SIGINT');
    expect(await ended).toEqual([null, 'SIGINT']);
    child.stdout.destroy();
    expect(filesOf(database)).toEqual([]);
  });

  test('put in place by hand, it is not served before it is settled', async () => {
    const other = join(newFolder(), 'vouch.db');
    const there = { ...settings, VOUCH_DATABASE_URL: `sqlite:${other}`, VOUCH_MASTER_KEY_FILE: `${database}.key` };
    copyFileSync(backup, other);
    for (const args of [['serve'], ['invite', 'eve@example.com']]) {
      const refused = await vouchServer(args, there);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('vouch-server restore --in-place');
    }
    expect(await json(['restore', '--in-place'], there)).toMatchObject({ invitationsVoided: 1, before: null });
    await startProgram(there);
  });

  test('a server that runs keeps its database', async () => {
    const server = await startProgram(settings);
    const running = await vouchServer(['restore', backup, '--replace'], settings);
    expect(running).toMatchObject({ code: 1, stdout: '' });
    expect(running.stderr).toContain('Another program has the database open');
    expect((await fetch(`${settings.VOUCH_ISSUER}/readyz`)).status).toBe(200);
    await server.end('SIGTERM');
    const there = await vouchServer(['restore', backup], settings);
    expect(there.code).toBe(1);
    expect(there.stderr).toContain('--replace');
    expect(filesOf(database)).toEqual([]);
  });

  const change = (sql: string) => (file: string) => {
    const opened = new DatabaseSync(file);
    opened.exec(sql);
    opened.close();
  };
  /** Breaks a page in the middle. */
  const scratch = (file: string) => {
    const content = readFileSync(file);
    randomBytes(4096).copy(content, 4096 * Math.floor(content.length / 8192));
    writeFileSync(file, content);
  };

  test.each<[string, (file: string) => void, Settings, RegExp]>([
    ['cut off', (file) => truncateSync(file, statSync(file).size - 4096), {}, /^vouch-server: .*damaged/],
    ['scratched', scratch, {}, /^vouch-server: .*damaged/],
    ['no database', (file) => writeFileSync(file, 'SQL'), {}, /no SQLite database/],
    ['another program’s', (file) => change('drop table kysely_migration')(file), {}, /no database of Vouch/],
    [
      'of a newer version',
      change(
        "insert into kysely_migration values ('9000_later', '2030'); update schema_version set oldest = '9000_later'",
      ),
      {},
      /newer version of Vouch/,
    ],
    ['of another server', () => {}, { VOUCH_ISSUER: 'http://localhost:9' }, /is the database of http/],
    ['of another master key', () => {}, { VOUCH_MASTER_KEY: randomBytes(32).toString('base64') }, /cannot be opened/],
    [
      'with a changed audit trail',
      change("drop trigger audit_never_changes; update audit set subject = 'eve@example.com'"),
      {},
      /audit trail in this backup does not fit together: at row 1/,
    ],
  ])('a backup that is %s changes nothing', async (_, spoil, other, words) => {
    const spoilt = join(newFolder(), 'spoilt');
    copyFileSync(backup, spoilt);
    spoil(spoilt);
    const before = [statSync(database).ino, await succeed(['audit', 'export', '--since', '0'], settings)];
    const refused = await vouchServer(['restore', spoilt, '--replace'], { ...settings, ...other });
    expect(refused.stdout).toBe('');
    expect(refused.code).toBeGreaterThan(0);
    expect(refused.stderr).toMatch(words);
    const after = [statSync(database).ino, await succeed(['audit', 'export', '--since', '0'], settings)];
    expect(after).toEqual(before);
    expect(filesOf(database)).toEqual([]);
  });

  test('a crash while the old database was being locked costs nothing', async () => {
    const crashed = join(newFolder(), 'vouch.db');
    const writing = new DatabaseSync(database);
    writing.exec(`pragma journal_mode = delete; pragma cache_size = 1; begin; create table t (a);
      insert into t with recursive c (a) as (select 1 union all select a + 1 from c where a < 99999) select a from c`);
    for (const ending of ['', '-journal']) copyFileSync(database + ending, crashed + ending);
    writing.exec('rollback; pragma journal_mode = wal');
    writing.close();
    const there = { ...settings, VOUCH_DATABASE_URL: `sqlite:${crashed}`, VOUCH_MASTER_KEY_FILE: `${database}.key` };
    expect(await succeed(['audit', 'verify'], there)).toContain('is whole');
    expect(existsSync(`${crashed}-journal`)).toBe(false);
  });

  test('a signing key that was revoked since does not come back', async () => {
    const keysOf = async () =>
      (
        await json<{ keys: { kid: string; state: string; revokedAt: string | null }[] }>(
          ['signing-keys', 'list'],
          settings,
        )
      ).keys;
    const [leaked = { kid: '' }] = await keysOf();
    await succeed(['signing-keys', 'revoke', leaked.kid, '--yes'], settings);
    expect(await succeed(['restore', backup, '--dry-run'], settings)).toContain(
      `Would end    the signing key ${leaked.kid.slice(0, 10)}`,
    );
    expect(await json(['restore', backup, '--replace'], settings)).toMatchObject({ signingKeysRevoked: [leaked.kid] });
    expect(await keysOf()).toEqual([
      expect.objectContaining({ state: 'current', revokedAt: null }),
      expect.objectContaining({ kid: leaked.kid, state: 'gone', revokedAt: expect.any(String) }),
    ]);
    const server = await startProgram(settings);
    const { keys } = (await (await fetch(`${settings.VOUCH_ISSUER}/jwks`)).json()) as { keys: { kid: string }[] };
    expect(keys.map(({ kid }) => kid)).not.toContain(leaked.kid);
    await server.end('SIGTERM');
  });

  test('a database that cannot be read any more is put aside with all that is beside it', async () => {
    writeFileSync(database, randomBytes(10_000));
    writeFileSync(`${database}-wal`, randomBytes(1_000));
    const { before, lost } = await json<{ before: string; lost: null }>(['restore', backup, '--replace'], settings);
    expect(lost).toBeNull();
    expect([statSync(before).size, statSync(`${before}-wal`).size]).toEqual([10_000, 1_000]);
    expect(await succeed(['audit', 'verify'], settings)).toContain('is whole: 3 rows');
  });
});

test('root backs up a service’s database into a folder of its own, and restores it for the service', async () => {
  const home = join(folder, 'service');
  mkdirSync(home, { mode: 0o700 });
  const database = join(home, 'vouch.db');
  const me = process.getuid?.();
  const service = me === 0 ? 54_321 : me;
  for (const above of [folder, dirname(folder)]) chmodSync(above, statSync(above).mode | 0o011);
  if (me === 0) lchownSync(home, 54_321, 54_321);
  const settings = await localSettings(database);
  const server = await startProgram(settings);
  await invite('alice@example.com', settings);
  const closed = newFolder();
  chmodSync(closed, 0o700);
  const backup = join(closed, 'vouch.backup');
  await succeed(['backup', backup], settings);
  expect([statSync(backup).uid, statSync(backup).mode & 0o777]).toEqual([me, 0o600]);
  await server.end('SIGTERM');
  await succeed(['restore', backup, '--replace'], settings);
  expect([statSync(database).uid, statSync(database).mode & 0o777]).toEqual([service, 0o600]);
  await startProgram(settings);
});

test('with PostgreSQL, a database that PostgreSQL has restored is checked and settled in its place', async () => {
  const { settings: database, drop } = await makeDatabase('postgres');
  onTestFinished(drop);
  const settings = { ...(await localSettings()), ...database };
  const origin = settings.VOUCH_ISSUER;
  await startProgram(settings);
  const key = await enrol(origin, await invite('alice@example.com', settings));
  const { client, access_token } = await signIn(origin, key);
  const forBob = await invite('bob@example.com', settings);

  const copied = await vouchServer(['backup', join(newFolder(), 'vouch.backup')], settings);
  expect([copied.code, copied.stdout]).toEqual([2, '']);
  expect(copied.stderr).toContain('vouch-server backup --check');
  expect(await json(['backup', '--check'], settings)).toMatchObject({
    whole: true,
    people: 1,
    keys: 1,
    signingKey: expect.any(String),
    archiving: { on: expect.any(Boolean) },
  });
  const other = { ...settings, VOUCH_MASTER_KEY: randomBytes(32).toString('base64') };
  expect((await vouchServer(['backup', '--check'], other)).code).toBe(1);

  const wouldEnd = { invitationsVoided: 1, sessionsEnded: 1 };
  expect(await json(['restore', '--in-place', '--dry-run'], settings)).toMatchObject({ restored: false, ...wouldEnd });
  await jsonOf(await client.api('GET', '/api/session', access_token));
  expect(await json(['restore', '--in-place'], settings)).toMatchObject({ restored: true, ...wouldEnd });
  await expectProblem(await client.api('GET', '/api/session', access_token), 401, 'session-over');
  const reopened = await Enrolment.start(origin, forBob).catch((error: Error) => error.message);
  expect(reopened).toContain('invitation-refused');
  await signIn(origin, key);
});
