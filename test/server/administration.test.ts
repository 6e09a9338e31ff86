import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { codeBlocks, readDocument } from '../support/document.ts';
import { freePort } from '../support/free-port.ts';
import { succeed } from '../support/run.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { program, startProgram, vouchServer } from './program.ts';

const folder = temporaryFolder();
const docs = readDocument('administration.md');
const scripts = codeBlocks(docs, 'sh');
/** The block that has these words. */
const script = (words: string) => scripts.find((block) => block.includes(words)) ?? '';

const user = script('useradd');
const settings = script('VOUCH_ISSUER=');
const backup = script('vouch-server backup');
const restore = script('systemctl stop');

test('a fresh machine, a backup and a restore, with the commands as they are written', async () => {
  for (const path of ['etc', 'var/lib/vouch', 'var/backups']) mkdirSync(join(folder, path), { recursive: true });
  /** Puts the machine's own paths below a temporary folder. */
  const here = (text: string) => text.replaceAll(/\/(?=(etc|var\/lib|var\/backups)\/)/g, `${folder}/`);
  /** The commands as documented, but in that folder, and with this user as the service's. */
  const commands = (text: string) =>
    here(text)
      .replaceAll(/^(useradd|systemctl) .*$/gm, '')
      .replaceAll('-o vouch -g vouch', `-o ${process.getuid?.()} -g ${process.getgid?.()}`)
      // Only root can write to a file of mode 0400.
      .replaceAll(/^(openssl .* > (\S+))$/gm, 'chmod u+w $2; $1; chmod u-w $2');
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'vouch-server'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, {
    mode: 0o755,
  });
  const env = { PATH: `${process.env.PATH}:${bin}` };
  const shell = (text: string, settings: Record<string, string> = {}) =>
    succeed('/bin/sh', ['-ec', `umask 022\n${commands(text)}`], { env: cleanEnvironment({ ...env, ...settings }) });

  await shell(user);
  expect(statSync(join(folder, 'etc/vouch/master-key')).mode & 0o777).toBe(0o400);
  // test/e2e/administrator.test.ts is about the first owner.
  const { VOUCH_OWNER_EMAIL: _, ...documented } = parseEnv(here(settings)) as Record<string, string>;
  const serverSettings = {
    ...documented,
    VOUCH_LISTEN: String(await freePort()),
  };
  const start = async () => {
    const server = await startProgram(serverSettings);
    expect((await fetch(`http://127.0.0.1:${serverSettings.VOUCH_LISTEN}/readyz`)).status).toBe(200);
    return server;
  };
  const invite = async (email: string) => expect((await vouchServer(['invite', email], serverSettings)).code).toBe(0);

  const first = await start();
  await invite('alice@example.com');
  await shell(backup, serverSettings);
  expect(statSync(join(folder, 'var/backups/vouch.db')).mode & 0o777).toBe(0o600);
  await invite('bob@example.com');
  // As after a crash: leftovers of the old database must not get into the restored one.
  await first.end('SIGKILL');
  await shell(restore, serverSettings);
  const database = join(folder, 'var/lib/vouch/vouch.db');
  expect(statSync(database).mode & 0o777).toBe(0o600);
  const second = await start();
  await second.end('SIGTERM');
  const content = readFileSync(database, 'latin1');
  expect([content.includes('alice@example.com'), content.includes('bob@example.com')]).toEqual([true, false]);
});

test('the unit fits the other instructions: its user, its settings and the folder of its database', () => {
  const unit = readFileSync(resolve(import.meta.dirname, '../../deploy/systemd/vouch-server.service'), 'utf8');
  const lines = unit.split('\n');
  const { VOUCH_DATABASE_URL = '', VOUCH_MASTER_KEY_FILE = '' } = parseEnv(settings);
  expect(lines).toEqual(expect.arrayContaining(['[Unit]', '[Service]', '[Install]', 'ExecStart=vouch-server serve']));
  expect(lines).toContain(`User=${/ (\w+)$/m.exec(user.split('\n')[0] ?? '')?.[1]}`);
  expect(docs).toContain('in `/etc/vouch/vouch.env`,');
  expect(lines).toContain('EnvironmentFile=/etc/vouch/vouch.env');
  // systemd.exec(5): StateDirectory is below /var/lib.
  expect(VOUCH_DATABASE_URL).toMatch(/^sqlite:\/var\/lib\/vouch\//);
  expect(lines).toEqual(expect.arrayContaining(['StateDirectory=vouch', 'StateDirectoryMode=0700', 'UMask=0077']));
  expect(user).toContain(`> ${VOUCH_MASTER_KEY_FILE}\n`);
  // The server takes up to 20 seconds to stop.
  expect(lines).toContain('TimeoutStopSec=30');
});
