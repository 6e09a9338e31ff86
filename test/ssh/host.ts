import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { realHost } from './real-host.ts';
import { standInHost } from './stand-in-host.ts';

/** A machine that can be reached by ssh, on loopback. It has the PATH of this one, and folders of its own. */
export interface SshHost {
  home: string;
  /** Its XDG_RUNTIME_DIR. */
  runtime: string;
  /** A file in the form of ~/.ssh/config, in which the host is called `box`. */
  config: string;
  /** How often somebody has authenticated. */
  logins(): number;
  /** Cuts all connections, as a network that is gone. */
  cut(): void;
  close(): Promise<void>;
}

export interface SshHostOptions {
  /** As sshd_config's AllowStreamLocalForwarding. */
  allowStreamLocalForwarding?: boolean;
  /** As sshd_config's ForceCommand. */
  forceCommand?: string;
  /** More variables there. */
  env?: Record<string, string>;
}

/** What an implementation gets. */
export interface HostSetup extends Required<Omit<SshHostOptions, 'forceCommand'>> {
  folder: string;
  home: string;
  user: string;
  port: number;
  forceCommand: string | undefined;
  hostKey: { private: string; file: string };
  /** A line of authorized_keys. */
  authorizedKey: string;
}

export interface RunningHost {
  port: number;
  logins(): number;
  cut(): void;
  close(): Promise<void>;
}

/** A new key. One in 256 that the library writes it cannot read again: it drops a zero at the beginning. */
function newKey(): { private: string; public: string } {
  for (;;) {
    const key = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(key.private) instanceof Error)) return key;
  }
}

/**
 * Starts an SSH host: a stand-in, or a real sshd if VOUCH_TEST_SSHD names one. That one needs /run/sshd if root runs it.
 *
 * @param folder where all of it is; short, because a socket's path has at most about 100 bytes
 */
export async function startSshHost(folder: string, options: SshHostOptions = {}): Promise<SshHost> {
  const at = (name: string) => join(folder, name);
  const home = at('there');
  const runtime = at('run');
  for (const path of [folder, home, runtime]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const [hostKey, ownKey] = [newKey(), newKey()];
  const write = (name: string, text: string) => {
    writeFileSync(at(name), text, { mode: 0o600 });
    chmodSync(at(name), 0o600);
    return at(name);
  };
  const user = userInfo().username;
  const start = process.env.VOUCH_TEST_SSHD ? realHost : standInHost;
  const running = await start({
    allowStreamLocalForwarding: true,
    ...options,
    env: { XDG_RUNTIME_DIR: runtime, ...options.env },
    forceCommand: options.forceCommand,
    folder,
    home,
    user,
    port: 0,
    hostKey: { private: hostKey.private, file: write('host-key', hostKey.private) },
    authorizedKey: ownKey.public,
  });
  const { port } = running;
  const config = write(
    'config',
    `Host box
  HostName 127.0.0.1
  Port ${port}
  User ${user}
  IdentityFile ${write('key', ownKey.private)}
  IdentitiesOnly yes
  UserKnownHostsFile ${write('known-hosts', `[127.0.0.1]:${port} ${hostKey.public}\n`)}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  BatchMode yes
`,
  );
  return { ...running, home, runtime, config };
}
