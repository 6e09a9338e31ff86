import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import type { HostSetup, RunningHost } from './host.ts';

/** The sshd that VOUCH_TEST_SSHD names, for the user who runs the tests, whose login shell it starts. */
export async function realHost(setup: HostSetup): Promise<RunningHost> {
  const { folder, home, hostKey, authorizedKey, env, forceCommand, allowStreamLocalForwarding } = setup;
  const port = await freePort();
  const at = (name: string) => join(folder, name);
  writeFileSync(at('authorized-keys'), `${authorizedKey}\n`, { mode: 0o600 });
  const there = { HOME: home, PATH: process.env.PATH ?? '', ...env };
  writeFileSync(
    at('sshd-config'),
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${hostKey.file}
AuthorizedKeysFile ${at('authorized-keys')}
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
LogLevel VERBOSE
AllowStreamLocalForwarding ${allowStreamLocalForwarding ? 'yes' : 'no'}
SetEnv ${Object.entries(there)
      .map(([name, value]) => `"${name}=${value}"`)
      .join(' ')}
${forceCommand === undefined ? '' : `ForceCommand ${forceCommand}`}
`,
  );
  const sshd = spawn(process.env.VOUCH_TEST_SSHD ?? '', ['-D', '-e', '-f', at('sshd-config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  const listening = new Promise<void>((resolve, reject) => {
    sshd.once('exit', () => reject(new Error(log)));
    sshd.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (log.includes('Server listening')) resolve();
    });
  });
  await listening;
  return {
    port,
    logins: () => log.split('Accepted publickey').length - 1,
    cut: () => {
      for (const pid of descendants(sshd)) process.kill(pid, 'SIGKILL');
    },
    close: async () => {
      for (const pid of descendants(sshd)) process.kill(pid, 'SIGKILL');
      const ended = once(sshd, 'exit');
      sshd.kill();
      await ended;
    },
  };
}

/** The processes of its connections: sshd has no other children. */
function descendants({ pid }: ChildProcess): number[] {
  const children = (of: number | undefined): number[] =>
    readFileSync(`/proc/${of}/task/${of}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  const isSshd = (of: number) => readFileSync(`/proc/${of}/comm`, 'utf8').startsWith('sshd');
  const all = children(pid);
  return [...all, ...all.flatMap(children).filter(isSshd)];
}
