import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { LocalAws } from '../aws/start.ts';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { type Finished, type Input, run, succeed } from '../support/run.ts';
import { type SandboxBrowser, startBrowser } from './browser.ts';
import { installBrowserOpener } from './programs.ts';

export interface RunIn {
  cwd?: string;
  input?: Input;
}

/** One person's machine in the sandbox: their home, their agent, their browser and their security key. */
export interface Machine {
  home: string;
  /** The environment of programs on it. */
  env: Record<string, string>;
  /** Undefined with the user's own browser. */
  browser: SandboxBrowser | undefined;
  /** Runs a program to its end. */
  run(command: string, args: readonly string[], options?: RunIn): Promise<Finished>;
  /** Like `run`, but fails unless the status is 0. */
  succeed(command: string, args: readonly string[], options?: RunIn): Promise<Finished>;
  /** The person's input to `vouch enroll`: the invitation code, then the words that the page shows. */
  typed(code: string): AsyncIterable<string>;
}

export interface MachineOptions {
  /** Where our programs are. */
  bin: string;
  aws: LocalAws;
  /** Uses the user's own browser and key instead of the virtual ones. */
  ownBrowser?: boolean;
  /** More variables. */
  env?: Record<string, string>;
}

/** Sets up a machine in an empty folder. Its browser runs from now on: close it. */
export async function openMachine(folder: string, { bin, aws, ownBrowser, env: more }: MachineOptions) {
  const at = (name: string) => join(folder, name);
  for (const name of ['home', 'run', 'tmp']) await mkdir(at(name), { recursive: true, mode: 0o700 });
  const socket = at('browser.sock');
  const env = cleanEnvironment({
    PATH: `${bin}${delimiter}${process.env.PATH ?? '/usr/bin:/bin'}`,
    HOME: at('home'),
    // Not the folder of this machine's user, whose own agent may hold a session.
    XDG_RUNTIME_DIR: at('run'),
    TMPDIR: at('tmp'),
    AWS_ENDPOINT_URL_STS: aws.stsUrl,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...(ownBrowser ? ownDesktop() : { BROWSER: installBrowserOpener(folder, socket) }),
    ...more,
  });
  const browser = ownBrowser ? undefined : await startBrowser(socket, at('tmp'));
  const machine: Machine = {
    home: at('home'),
    env,
    browser,
    run: (command, args, how = {}) => run(command, args, { env, cwd: at('home'), ...how }),
    succeed: (command, args, how = {}) => succeed(command, args, { env, cwd: at('home'), ...how }),
    async *typed(code) {
      yield `${code}\n`;
      if (browser) yield `${await browser.words()}\n`;
    },
  };
  return machine;
}

/** The Git settings of a machine at an office: the committer, and the way to (the local) CodeCommit. */
export async function configureGit({ succeed }: Machine, name: string, email: string, aws: LocalAws): Promise<void> {
  const settings = [
    ['user.name', name],
    ['user.email', email],
    ['init.defaultBranch', 'main'],
    ['advice.detachedHead', 'false'],
    ...aws.gitConfig,
  ] as const;
  for (const [key, value] of settings) await succeed('git', ['config', '--global', key, value]);
}

/** The variables that the user's own browser needs to start on their desktop. */
function ownDesktop(): Record<string, string> {
  const names = ['BROWSER', 'DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'DBUS_SESSION_BUS_ADDRESS', 'WSL_DISTRO_NAME'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
