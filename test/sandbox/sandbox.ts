import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { type LocalAws, startLocalAws } from '../aws/start.ts';
import { ensureBuilt } from '../support/ensure-built.ts';
import { freePort } from '../support/free-port.ts';
import { type DeveloperAccount, type DeveloperAccountOptions, openAccount } from './accounts.ts';
import { type IdentityServer, identityServer } from './identity-server.ts';
import { configureGit, type Machine, openMachine } from './machine.ts';
import { installPrograms } from './programs.ts';

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
  /** More settings of the server. */
  settings?: Record<string, string>;
  /** What runs it, if it is not one process. */
  server?: typeof identityServer;
  /** Installs our programs in another way than npm's. */
  programs?: typeof installPrograms;
  /** Aborts the start, and ends what has been started. */
  signal?: AbortSignal;
}

/**
 * A whole world for Vouch in one folder: the real programs, a real server, browser and Git, and the local AWS. The sandbox itself is the
 * machine of one person, who has the server's settings too.
 */
export interface Sandbox extends Machine, AsyncDisposable {
  folder: string;
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
  /** Adds another person with a machine of their own, on which Git alone is set up, and with a key that is not enrolled. */
  addPerson(email: string): Promise<Machine>;
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
  for (const name of ['aws', 'server']) await mkdir(at(name), { mode: 0o700 });
  const bin = (options.programs ?? installPrograms)(folder);
  const issuer = `http://localhost:${await freePort()}`;

  const aws = await startLocalAws({ folder: at('aws') });
  closers.unshift(() => aws.close());

  const machine = await openMachine(folder, {
    bin,
    aws,
    ownBrowser: options.ownBrowser === true,
    env: { VOUCH_ISSUER: issuer, VOUCH_DATABASE_URL: `sqlite:${at('server/vouch.db')}`, ...options.settings },
  });
  const { env } = machine;
  closers.unshift(async () => machine.browser?.close());

  const first = await openAccount(aws, aws.account(), env, {
    region: REGION,
    ...(options.files && { files: options.files }),
  });

  // The agent is the one program that outlives the command that started it.
  const stopAgentFirst = ({ run }: Machine) => closers.unshift(() => run('vouch', ['agent', 'stop']));

  const serverLog = at('server.log');
  const server = (options.server ?? identityServer)(env, serverLog);
  closers.unshift(() => server.stop());
  await server.start();

  const sandbox: Sandbox = {
    ...machine,
    folder,
    issuer,
    server,
    serverLog,
    aws,
    first,
    roleArn: first.role.arn,
    repositoryUrl: first.repositoryUrl,
    async addAccount(id, { partition, profile, ...how } = {}) {
      const added = await openAccount(aws, aws.addAccount(id, partition), env, how);
      if (profile !== undefined) {
        const args = ['--profile', profile, '--role', added.role.arn, '--region', added.region];
        await sandbox.succeed('vouch', ['setup', 'aws', ...args]);
      }
      return added;
    },
    async addPerson(email) {
      const [name = ''] = email.split('@');
      const theirs = await openMachine(at(name), { bin, aws });
      closers.unshift(async () => theirs.browser?.close());
      stopAgentFirst(theirs);
      await configureGit(theirs, name, email, aws);
      return theirs;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  stopAgentFirst(machine);
  await configureGit(machine, 'Alice', PERSON, aws);
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

/** Calls every closer in order, even if some fail, then throws the first failure. */
async function closeAll(closers: (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const closer of closers) await closer().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
