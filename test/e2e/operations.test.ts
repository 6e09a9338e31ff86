import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { program, ServerProcess, vouchServer } from '../server/program.ts';
import { SoftKey } from '../server/soft-key.ts';
import { Enrolment, jsonOf, signIn } from '../server/support.ts';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { readDocument } from '../support/document.ts';
import { freePort } from '../support/free-port.ts';
import { succeed } from '../support/run.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { Walk } from './walk.ts';

const root = temporaryFolder();
const at = (path: string) => join(root, path);
let walk: Walk;
let origin: string;
let settings: Record<string, string>;
let server: ServerProcess;
const keys: Record<string, SoftKey> = {};

beforeAll(async () => {
  for (const path of ['etc/vouch', 'var/lib/vouch', 'var/backups', 'mnt/elsewhere', 'bin'])
    mkdirSync(at(path), { recursive: true });
  const standIns = { 'vouch-server': `exec '${process.execPath}' '${program}' "$@"`, systemctl: '', chown: '' };
  for (const [name, does] of Object.entries(standIns)) {
    writeFileSync(at(`bin/${name}`), `#!/bin/sh\n${does}\n`);
    chmodSync(at(`bin/${name}`), 0o755);
  }
  const PATH = `${at('bin')}:${process.env.PATH}`;
  origin = `http://localhost:${await freePort()}`;
  settings = {
    VOUCH_ISSUER: origin,
    VOUCH_MASTER_KEY_FILE: at('etc/vouch/master-key'),
    VOUCH_DATABASE_URL: `sqlite:${at('var/lib/vouch/vouch.db')}`,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(at('etc/vouch/vouch.env'), lines.join(''));
  await succeed('sh', ['-c', 'umask 077; openssl rand -base64 32 > master-key'], {
    env: { PATH },
    cwd: at('etc/vouch'),
  });
  walk = new Walk(readDocument('operations.md'), {
    env: cleanEnvironment({ PATH }),
    cwd: root,
    here: [
      ['https://vouch.example.com', origin],
      ...['/etc/vouch/', '/var/lib/vouch/', '/var/backups/', '/mnt/elsewhere/'].map(
        (path) => [path, at(path)] as const,
      ),
    ],
  });
  server = await ServerProcess.start(settings);
  for (const [email, ...more] of [
    ['owner@example.com', '--owner'],
    ['eve@example.com', '--owner'],
    ['bob@example.com'],
  ])
    keys[email ?? ''] = await enrol(await invite(email ?? '', ...more));
});
afterAll(() => server?.end('SIGKILL'));

async function invite(email: string, ...more: string[]): Promise<string> {
  const { stdout } = await vouchServer(['invite', email, ...more, '--json'], settings);
  return (JSON.parse(stdout) as { code: string }).code;
}

async function enrol(code: string): Promise<SoftKey> {
  const key = new SoftKey(origin);
  await jsonOf(await (await Enrolment.open(origin, code)).register(key));
  return key;
}

const signInAs = (email: string) => signIn(origin, keys[email] as SoftKey);

/** What systemd would do. */
async function systemctl(verb: 'stop' | 'start' | 'restart'): Promise<void> {
  await walk.run(`systemctl ${verb} vouch-server`);
  if (verb !== 'start') await server.end('SIGTERM');
  if (verb !== 'stop') server = await ServerProcess.start(settings);
}

/** These tests are one story, in this order: a walk through docs/operations.md. */
describe.sequential('an operator', () => {
  test('installs, checks, upgrades and rotates, and sessions go on', async () => {
    const { client, access_token } = await signInAs('owner@example.com');
    await walk.run('set -a; . /etc/vouch/vouch.env; set +a');
    await walk.run('vouch-server check');
    await walk.run('vouch-server backup /var/backups/vouch-before-upgrade.db');
    await walk.run('vouch-server migrate --check');
    await systemctl('restart');
    await walk.run('(umask 077; openssl rand -base64 32 > /etc/vouch/master-key.new)');
    await walk.run('vouch-server master-key rewrap --new-key-file /etc/vouch/master-key.new');
    await walk.run('chown vouch:vouch /etc/vouch/master-key.new');
    await walk.run('mv /etc/vouch/master-key /var/backups/master-key-until-2026-11-23');
    await walk.run('mv /etc/vouch/master-key.new /etc/vouch/master-key');
    await systemctl('restart');
    await jsonOf(await client.api('GET', '/api/session', access_token));
  });

  test('backs up and restores: what was open is void, and what was done since is said', async () => {
    await invite('carol@example.com');
    await walk.run('vouch-server backup /var/backups/vouch-2026-11-23.db');
    await walk.run('vouch-server restore /var/backups/vouch-2026-11-23.db --dry-run');
    await signInAs('bob@example.com');
    await vouchServer(['people', 'disable', 'bob@example.com', '--reason', 'left the company'], settings);
    await systemctl('stop');
    await walk.run('vouch-server restore /var/backups/vouch-2026-11-23.db --replace');
    await walk.run('vouch-server people disable bob@example.com --reason "left the company"');
    await systemctl('start');
    await expect(signInAs('bob@example.com')).rejects.toThrow('person-shut-out');
  });

  test('loses the database: a restore brings it back', async () => {
    await server.end('SIGKILL');
    rmSync(at('var/lib/vouch'), { recursive: true });
    mkdirSync(at('var/lib/vouch'));
    await walk.run('vouch-server restore /var/backups/vouch-2026-11-23.db');
    await systemctl('start');
    await signInAs('owner@example.com');
  });

  test('loses the master key: keys of people still sign in', async () => {
    const kept = await vouchServer(['master-key', 'lost', '--yes'], settings);
    expect([kept.code, kept.stderr]).toEqual([1, expect.stringContaining('it is not lost')]);
    await vouchServer(['sessions', 'end', '--all', '--yes'], settings);
    await systemctl('stop');
    rmSync(at('etc/vouch/master-key'));
    await walk.run('(umask 077; openssl rand -base64 32 > /etc/vouch/master-key)');
    await walk.run('chown vouch:vouch /etc/vouch/master-key');
    expect((await vouchServer(['serve'], settings)).code).toBe(1);
    await walk.run('vouch-server master-key lost --yes');
    await systemctl('start');
    await signInAs('owner@example.com');
  });

  test('ends a leaked key and a compromised administrator; and no command of the document was left out', async () => {
    const listed = await vouchServer(['signing-keys', 'list', '--json'], settings);
    const [{ kid = '' } = {}] = (JSON.parse(listed.stdout) as { keys: { kid: string }[] }).keys;
    const { client, access_token } = await signInAs('eve@example.com');
    await walk.run('vouch-server signing-keys list');
    await walk.run('vouch-server signing-keys revoke Kq3vXw8mTz --yes', { instead: { Kq3vXw8mTz: kid } });
    expect((await client.api('GET', '/api/session', access_token)).status).toBe(401);
    await signInAs('eve@example.com');
    await walk.run('vouch-server audit checkpoint > /mnt/elsewhere/vouch-2026-11-23.checkpoint');
    await walk.run('vouch-server people disable eve@example.com --reason "key in other hands"');
    await walk.run('vouch-server audit list --person eve@example.com --limit 3');
    await walk.run('vouch-server aws-revoke eve@example.com > revoke.sh');
    await walk.run('vouch-server audit verify --checkpoint /mnt/elsewhere/vouch-2026-11-23.checkpoint');
    await walk.run('vouch-server people list --owners');
    await walk.run('vouch-server keys list owner@example.com');
    await walk.run('vouch-server invite list');
    await walk.run('vouch-server sessions end --all --yes');
    expect(walk.left).toEqual([]);
  });
});
