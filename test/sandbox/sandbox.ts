import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Writable } from 'node:stream';
import { type LocalAws, startLocalAws } from '../aws/start.ts';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { ensureBuilt } from '../support/ensure-built.ts';
import { freePort } from '../support/free-port.ts';
import { type Finished, type Input, run, succeed } from '../support/run.ts';
import { type DeveloperAccount, type DeveloperAccountOptions, openAccount } from './accounts.ts';
import { type SandboxBrowser, startBrowser } from './browser.ts';
import { type IdentityServer, identityServer } from './identity-server.ts';
import { installBrowserOpener, installPrograms } from './programs.ts';

export const PERSON = 'alice@example.com';
export const REGION = 'us-east-1';
export { REPOSITORY } from './accounts.ts';

export interface SandboxOptions {
  /** Only the servers run: nobody is invited, nothing is set up. */
  fresh?: boolean;
  /** Uses the user's own browser and key instead of the virtual ones. */
  ownBrowser?: boolean;
  /** The files of the repository's first commit; without them it is empty. */
  files?: Record<string, string>;
  /** Aborts the start, and ends what has been started. */
  signal?: AbortSignal;
}

/** A whole world for Vouch in one folder: the real programs, a real server, browser and Git, and the local AWS. */
export interface Sandbox extends AsyncDisposable {
  folder: string;
  home: string;
  /** The environment of programs in the sandbox. */
  env: Record<string, string>;
  issuer: string;
  server: IdentityServer;
  serverLog: string;
  aws: LocalAws;
  /** The account that the sandbox begins with; the profile `vouch` names its role. */
  first: DeveloperAccount;
  roleArn: string;
  repositoryUrl: string;
  /**
   * Creates another account with a role that trusts the server, and a repository that the role may use (`demo` by default). Adds
   * a profile for the role if you name one.
   */
  addAccount(
    id: string,
    options?: DeveloperAccountOptions & { partition?: string; profile?: string },
  ): Promise<DeveloperAccount>;
  /** Undefined with the user's own browser. */
  browser: SandboxBrowser | undefined;
  /** Runs a program of the sandbox to its end. */
  run(command: string, args: readonly string[], options?: { cwd?: string; input?: Input }): Promise<Finished>;
  /** Like `run`, but fails unless the status is 0. */
  succeed(command: string, args: readonly string[], options?: { cwd?: string; input?: Input }): Promise<Finished>;
  /** The person's input to `vouch enroll`: the invitation code, then the words that the page shows. */
  typed(code: string): AsyncIterable<string>;
  /** Ends everything and removes the folder. A second call does nothing. */
  close(): Promise<void>;
}

/** Starts a sandbox. If that fails, nothing is left behind. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  await ensureBuilt();
  const folder = await realpath(await mkdtemp(join(await shortTemporaryFolder(), 'vouch-')));
  const closers: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true, maxRetries: 5 })];
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= closeAll(closers);
    return closing;
  };
  try {
    return await start(folder, options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  folder: string,
  options: SandboxOptions,
  closers: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<Sandbox> {
  const at = (name: string) => join(folder, name);
  for (const name of ['home', 'run', 'tmp', 'aws', 'server']) await mkdir(at(name), { mode: 0o700 });
  const bin = installPrograms(folder);
  const issuer = `http://localhost:${await freePort()}`;

  const aws = await startLocalAws({ folder: at('aws') });
  closers.unshift(() => aws.close());

  const browserSocket = at('browser.sock');
  const own = options.ownBrowser === true;
  const browser = own ? undefined : await startBrowser(browserSocket, at('tmp'));
  if (browser) closers.unshift(() => browser.close());

  const env = cleanEnvironment({
    PATH: `${bin}${delimiter}${process.env.PATH ?? '/usr/bin:/bin'}`,
    HOME: at('home'),
    // Not the folder of this machine's user, whose own agent may hold a session.
    XDG_RUNTIME_DIR: at('run'),
    TMPDIR: at('tmp'),
    AWS_ENDPOINT_URL_STS: aws.stsUrl,
    AWS_EC2_METADATA_DISABLED: 'true',
    VOUCH_ISSUER: issuer,
    VOUCH_DATABASE_URL: `sqlite:${at('server/vouch.db')}`,
    ...(own ? ownDesktop() : { BROWSER: installBrowserOpener(folder, browserSocket) }),
  });

  const first = await openAccount(aws, aws.account(), env, {
    region: REGION,
    ...(options.files && { files: options.files }),
  });

  const serverLog = at('server.log');
  const server = identityServer(env, serverLog);
  closers.unshift(() => server.stop());
  await server.start();

  const sandbox: Sandbox = {
    folder,
    home: at('home'),
    env,
    issuer,
    server,
    serverLog,
    aws,
    first,
    roleArn: first.role.arn,
    repositoryUrl: first.repositoryUrl,
    browser,
    async addAccount(id, { partition, profile, ...how } = {}) {
      const added = await openAccount(aws, aws.addAccount(id, partition), env, how);
      if (profile !== undefined) {
        const args = ['--profile', profile, '--role', added.role.arn, '--region', added.region];
        await sandbox.succeed('vouch', ['setup', 'aws', ...args]);
      }
      return added;
    },
    run: (command, args, how = {}) => run(command, args, { env, cwd: at('home'), ...how }),
    succeed: (command, args, how = {}) => succeed(command, args, { env, cwd: at('home'), ...how }),
    async *typed(code) {
      yield `${code}\n`;
      if (browser) yield `${await browser.words()}\n`;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  // The agent is the one program that outlives the command that started it.
  closers.unshift(() => sandbox.run('vouch', ['agent', 'stop']));
  await configureGit(sandbox);
  options.signal?.throwIfAborted();
  if (options.fresh !== true) await setUp(sandbox, options);
  options.signal?.throwIfAborted();
  return sandbox;
}

/** A folder for sockets, whose paths have at most about 100 bytes (unix(7)): macOS's own temporary folder is too deep. */
async function shortTemporaryFolder(): Promise<string> {
  const usual = await realpath(tmpdir());
  return Buffer.byteLength(usual) <= 30 ? usual : '/tmp';
}

/** The Git settings of a machine at an office: the committer, and the way to (the local) CodeCommit. */
async function configureGit(sandbox: Sandbox): Promise<void> {
  const settings = [
    ['user.name', 'Alice'],
    ['user.email', PERSON],
    ['init.defaultBranch', 'main'],
    ['advice.detachedHead', 'false'],
    ...sandbox.aws.gitConfig,
  ] as const;
  for (const [key, value] of settings) await sandbox.succeed('git', ['config', '--global', key, value]);
}

/** The first day's work: invitation, enrolment, AWS profile, Git's settings. */
async function setUp(sandbox: Sandbox, { ownBrowser, signal }: SandboxOptions): Promise<void> {
  const invited = await sandbox.succeed('vouch-server', ['invite', PERSON, '--json']);
  const { code } = JSON.parse(invited.stdout) as { code: string };
  const enroll = ['enroll', '--server', sandbox.issuer, '--name', 'Work key'];
  if (ownBrowser) await enrollInPlainSight(sandbox, enroll, code, signal);
  else await sandbox.succeed('vouch', enroll, { input: sandbox.typed(code) });
  await sandbox.succeed('vouch', ['setup', 'aws', '--role', sandbox.roleArn, '--region', REGION]);
  await sandbox.succeed('vouch', ['setup', 'codecommit']);
}

/** Shows `vouch enroll` to the person, whose own key it asks for; standard output remains the sandbox command's. */
function enrollInPlainSight(
  { env, home }: Sandbox,
  enroll: string[],
  code: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('vouch', enroll, { env, cwd: home, stdio: ['pipe', 2, 2], ...(signal ? { signal } : {}) });
    child.stdin?.on('error', () => {});
    child.stdin?.write(`${code}\n`);
    // The person types the words that the page shows.
    process.stdin.pipe(child.stdin as Writable);
    child.once('error', reject);
    child.once('close', (status) => {
      process.stdin.unpipe().pause();
      if (status === 0) resolve();
      else reject(new Error(`vouch enroll ended with ${status}`));
    });
  });
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

/** Calls every closer in order, even if some fail, then throws the first failure. */
async function closeAll(closers: (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const closer of closers) await closer().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
