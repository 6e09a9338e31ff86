import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Account } from './accounts.ts';
import { createCodeCommitServer } from './codecommit.ts';
import { createConnectProxy } from './connect-proxy.ts';
import { Door } from './door.ts';
import { type Faults, suffer } from './faults.ts';
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
  /** Everything that is written goes in here: repositories, the CA's certificate, the log. The caller removes it. */
  folder: string;
  /** Account ids to begin with. `123456789012` unless given. */
  accounts?: string[];
  /** What AWS takes for the time. */
  now?: () => Date;
  intercept?: Intercept;
}

/** A running local AWS. Accounts, clock and interceptor may be changed while it runs. */
export interface LocalAws {
  /** For `AWS_ENDPOINT_URL_STS`. */
  readonly stsUrl: string;
  /** A CONNECT proxy that leads to CodeCommit's hosts and nowhere else. */
  readonly proxyUrl: string;
  /** The certificate of the CA that signed for them. */
  readonly caFile: string;
  /** Git settings that lead Git there. */
  readonly gitConfig: readonly (readonly [key: string, value: string])[];
  /** What was asked of it, in order. The same lines, as JSON, are in `<folder>/aws.log`. */
  readonly log: readonly LogEntry[];
  now: () => Date;
  intercept: Intercept | undefined;
  /** What is wrong with the services; each is well unless told otherwise. */
  readonly faults: Faults;
  /** Makes the sessions that are asked for with a token last for less than AWS's shortest, which are 900 seconds. */
  lifetime: ((role: string, asked: number) => number) | undefined;
  /** Every session that STS has given out: whose credentials are these? */
  readonly sessions: Sessions;
  /** The account of that id; the first one unless told. */
  account(id?: string): Account;
  addAccount(id: string, partition?: string): Account;
  /**
   * Makes a repository, empty unless it is given files, whose default branch is main, in the given region or the first one of the account's
   * partition. Its URL is on the public host; hosts.ts names it on the region's other hosts.
   */
  createRepository(options: {
    name: string;
    region?: string;
    account?: string;
    /** What it begins with, as one commit on main. */
    files?: Record<string, string>;
  }): Promise<{ path: string; url: string }>;
  /** Ends servers, sockets and child processes. Again does nothing. */
  close(): Promise<void>;
}

/** Starts an STS and a CodeCommit that refuse what AWS refuses, on free ports of 127.0.0.1. */
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

  // Asked for at the moment of use, since both may be replaced.
  const now = () => aws.now();
  const intercept: Intercept = async (intercepted) => {
    const fault = aws.faults[intercepted.service];
    return (await aws.intercept?.(intercepted)) === true || suffer(fault, intercepted);
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
  const proxy = createConnectProxy(() => doors.codecommit.port);
  const doors = { sts: await Door.open(sts), codecommit: await Door.open(codeCommit), proxy: await Door.open(proxy) };
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

/** A service that refuses has its door shut as soon as a test says so, and not when the next request comes. */
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
