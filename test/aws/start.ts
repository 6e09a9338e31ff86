import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Account } from './accounts.ts';
import { createCodeCommitServer } from './codecommit.ts';
import { createConnectProxy } from './connect-proxy.ts';
import { Door } from './door.ts';
import { applyFault, type Faults } from './faults.ts';
import { createFederationServer } from './federation.ts';
import { firstCommit } from './first-commit.ts';
import { GitBackend } from './git-backend.ts';
import { firstRegion, gitUrlPatterns, repositoryUrl } from './hosts.ts';
import { IssuerKeys } from './identity-provider.ts';
import type { Intercept } from './intercept.ts';
import { Log, type LogEntry } from './log.ts';
import { Sessions } from './sessions.ts';
import { createStsServer } from './sts.ts';
import { TestCa } from './test-ca.ts';

export interface LocalAwsOptions {
  /** The folder for all files: repositories, the CA's certificate, the log. The caller removes it. */
  folder: string;
  /** The ids of the first accounts, `123456789012` by default. */
  accounts?: string[];
  /** AWS's clock. */
  now?: () => Date;
  intercept?: Intercept;
}

/** A running local AWS. Accounts, clock, interceptor and faults may change while it runs. */
export interface LocalAws {
  /** For `AWS_ENDPOINT_URL_STS`. */
  readonly stsUrl: string;
  /** A CONNECT proxy that leads to the hosts of CodeCommit and of AWS's sign-in, and nowhere else. */
  readonly proxyUrl: string;
  /** The certificate of the CA that signed the certificates of these hosts. */
  readonly caFile: string;
  /** Git settings that lead Git to the local CodeCommit. */
  readonly gitConfig: readonly (readonly [key: string, value: string])[];
  /** All requests in order. `<folder>/aws.log` has the same as lines of JSON. */
  readonly log: readonly LogEntry[];
  now: () => Date;
  intercept: Intercept | undefined;
  /** The current faults of the services; none at first. */
  readonly faults: Faults;
  /** Shortens the sessions of AssumeRoleWithWebIdentity below AWS's minimum of 900 seconds. @returns seconds */
  lifetime: ((role: string, asked: number) => number) | undefined;
  /** All sessions that STS has issued. */
  readonly sessions: Sessions;
  /** The account with that id, by default the first. */
  account(id?: string): Account;
  addAccount(id: string, partition?: string): Account;
  /**
   * Creates a repository with the default branch main, in the given region or the first one of the account's partition. Its URL
   * names the public host; hosts.ts has the URLs on the region's other hosts.
   */
  createRepository(options: {
    name: string;
    region?: string;
    account?: string;
    /** The files of its first commit, on main; without them it is empty. */
    files?: Record<string, string>;
  }): Promise<{ path: string; url: string }>;
  /** Ends servers, sockets and child processes. A second call does nothing. */
  close(): Promise<void>;
}

/** Starts an STS, a CodeCommit and a sign-in to the console that refuse what AWS refuses, on free ports of 127.0.0.1. */
export async function startLocalAws(options: LocalAwsOptions): Promise<LocalAws> {
  const folder = resolve(options.folder);
  const home = join(folder, 'empty-home');
  const repositories = join(folder, 'repos');
  const caFile = join(folder, 'ca.pem');
  await mkdir(home, { recursive: true });
  await mkdir(repositories, { recursive: true });

  const accounts = new Map<string, Account>();
  const log = new Log(join(folder, 'aws.log'));
  const sessions = new Sessions();
  const backend = new GitBackend(home);
  const ca = await TestCa.create();
  await writeFile(caFile, ca.pem);

  // Looked up at each use, because both may be replaced.
  const now = () => aws.now();
  const intercept: Intercept = async (intercepted) => {
    const fault = aws.faults[intercepted.service];
    return (await aws.intercept?.(intercepted)) === true || applyFault(fault, intercepted);
  };
  const sts = createStsServer({
    account: (id) => accounts.get(id),
    sessions,
    keys: new IssuerKeys(),
    log,
    now,
    intercept,
    lifetime: (role, asked) => aws.lifetime?.(role, asked) ?? asked,
  });
  const codeCommit = createCodeCommitServer({ ca, sessions, backend, folder: repositories, log, now, intercept });
  const federation = createFederationServer({ ca, sessions, log, now });
  const proxy = createConnectProxy(
    () => doors.codecommit.port,
    () => doors.signin.port,
  );
  const doors = {
    sts: await Door.open(sts),
    codecommit: await Door.open(codeCommit),
    signin: await Door.open(federation),
    proxy: await Door.open(proxy),
  };
  const proxyUrl = `http://127.0.0.1:${doors.proxy.port}`;

  let closing: Promise<void> | undefined;
  const aws: LocalAws = {
    stsUrl: `http://127.0.0.1:${doors.sts.port}`,
    proxyUrl,
    caFile,
    gitConfig: gitUrlPatterns.flatMap((pattern) => [
      [`http.${pattern}.proxy`, proxyUrl] as const,
      [`http.${pattern}.sslCAInfo`, caFile] as const,
    ]),
    log: log.entries,
    now: options.now ?? (() => new Date()),
    intercept: options.intercept,
    faults: faultsOf(doors),
    lifetime: undefined,
    sessions,
    account(id) {
      const account = id === undefined ? [...accounts.values()][0] : accounts.get(id);
      if (account === undefined) throw new Error(`the local AWS has no account ${id ?? ''}`);
      return account;
    },
    addAccount(id, partition) {
      const account = new Account(id, partition);
      accounts.set(id, account);
      return account;
    },
    async createRepository({ name, account: id, files, ...where }) {
      const account = aws.account(id);
      const { region = firstRegion(account.partition) } = where;
      account.addRepository(region, name);
      const path = join(repositories, account.id, region, `${name}.git`);
      await mkdir(path, { recursive: true });
      const env = { PATH: process.env.PATH, HOME: home, GIT_CONFIG_NOSYSTEM: '1' };
      await promisify(execFile)('git', ['init', '--quiet', '--bare', '--template=', '--initial-branch=main', path], {
        env,
      });
      if (files !== undefined) await firstCommit(path, files, env);
      return { path, url: repositoryUrl(region, name) };
    },
    close() {
      closing ??= (async () => {
        // Sockets first, so that nothing new begins.
        await Promise.all(Object.values(doors).map((door) => door.close()));
        await backend.close();
        await rm(home, { recursive: true, force: true });
      })();
      return closing;
    },
  };
  for (const id of options.accounts ?? ['123456789012']) aws.addAccount(id);
  return aws;
}

/** The faults, as an object that shuts a service's door as soon as a test sets `refuse`, and not at the next request. */
function faultsOf(doors: Record<keyof Faults, Door>): Faults {
  return new Proxy<Faults>(
    {},
    {
      set(faults, service: keyof Faults, fault: Faults[keyof Faults]) {
        faults[service] = fault;
        if (fault?.kind === 'refuse') doors[service].shut();
        else doors[service].reopen();
        return true;
      },
    },
  );
}
