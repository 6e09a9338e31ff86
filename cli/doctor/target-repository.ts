import { type CodeCommitHost, codeCommitHost } from '../aws/codecommit/hosts.ts';
import { locate } from '../git-remote-codecommit/locate.ts';
import { parseRemoteUrl } from '../git-remote-codecommit/url.ts';
import { Problem } from '../problem/problem.ts';
import { runGit } from './git-process.ts';
import { withoutPassword } from './network-settings.ts';
import { sshHostName } from './ssh-hosts.ts';

/** The repository in question. */
export interface Target {
  /** What Git would open, with `url.<base>.insteadOf` applied, and without a password. */
  url: string;
  scheme: 'https' | 'codecommit';
  /** The same repository over HTTPS, without a user name. */
  https: string;
  host: CodeCommitHost;
  repository: string;
  /** Whether there was a password in the URL. Git would use the password, and ask no helper. */
  hasPassword?: boolean;
  /** Whether there was an empty user name in the URL. Git would send the empty name. */
  emptyUser?: boolean;
  /** The original address, if it was over SSH or plain HTTP. The checks examine the same repository over HTTPS. */
  instead?: { address: string; scheme: 'ssh' | 'http' };
  /** The AWS profile that is named as the user in the URL. */
  profile?: string | undefined;
  /** The remote with this URL; undefined when a URL was named, or the remote is not known. */
  remote?: string;
}

interface Where {
  env: NodeJS.ProcessEnv;
  cwd: string;
  signal: AbortSignal;
}

/**
 * Finds the repository to check: by its URL, or by a remote's name. Without either it is the remote that `git pull` would use here, or
 * `origin`, if that remote is on CodeCommit.
 *
 * @returns undefined when nothing was named, and no remote here is on CodeCommit
 * @throws Problem with exit code 2: `not-codecommit`, and as `readTarget`
 */
export async function findTarget(named: string | undefined, where: Where): Promise<Target | undefined> {
  if (named !== undefined) {
    const url = (await urlOf(named, where)) ?? named;
    const target = await readTarget(url, where.env).catch((error: unknown) => {
      throw error instanceof Problem ? new Problem({ ...error, category: 'usage' }) : error;
    });
    if (target) return url === named || named.includes(':') ? target : { ...target, remote: named };
    throw new Problem({
      kind: 'not-codecommit',
      what: `This is not a repository on CodeCommit: ${withoutPassword(url)}`,
      why: 'It looks like https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo, or like codecommit://demo.',
      fix: 'Name its URL, or the name of a remote (`git remote -v`).',
      category: 'usage',
    });
  }
  const origin = await urlOf('origin', where);
  for (const url of [await urlOf(undefined, where), origin]) {
    const target = url === undefined ? undefined : await readTarget(url, where.env).catch(() => undefined);
    if (target) return url === origin ? { ...target, remote: 'origin' } : target;
  }
  return undefined;
}

/** git-ls-remote(1): "Expand the URL of the given remote repository … and exit without talking to the remote". */
async function urlOf(remote: string | undefined, where: Where): Promise<string | undefined> {
  const args = ['ls-remote', '--get-url', ...(remote === undefined ? [] : ['--', remote])];
  const { code, stdout } = await runGit(args, where).catch(() => ({ code: 128, stdout: '' }));
  where.signal.throwIfAborted();
  return code === 0 && stdout !== '\n' ? stdout.replace(/\n$/, '') : undefined;
}

/**
 * Parses an address.
 *
 * @throws Problem as git-remote-codecommit would for a codecommit:// address: malformed, without a region, …
 */
export async function readTarget(url: string, env: NodeJS.ProcessEnv): Promise<Target | undefined> {
  return url.startsWith('codecommit:') ? readCodeCommit(url, env) : (readHttps(url) ?? readOther(url, env));
}

/**
 * An address of CodeCommit for which Vouch gives no credentials: over SSH, for which Git asks no helper (a URL, or the form of
 * scp(1)) whose host may be a name in the person's SSH configuration, and over plain HTTP, for which Vouch's helper gives no answer.
 */
function readOther(url: string, env: NodeJS.ProcessEnv): Target | undefined {
  const ssh = /^(?:ssh|git\+ssh|ssh\+git):\/\/(?:[^@/]*@)?([^:/]+)(?::\d*)?\/+(v1\/repos\/.*)$/is.exec(url);
  const scp = /^(?:[^@/:]*@)?([^@:/]+):\/*(v1\/repos\/.*)$/s.exec(url);
  const http = /^http:\/\/(?:[^@/]*@)?([^:/]+)(?::\d*)?\/+(v1\/repos\/.*)$/is.exec(url);
  const [, host, path] = ssh ?? http ?? scp ?? [];
  if (host === undefined) return undefined;
  const name = http ? host : sshHostName(host, env);
  const target = readHttps(`https://${name.toLowerCase()}/${path}`);
  return target && { ...target, instead: { address: withoutPassword(url), scheme: http ? 'http' : 'ssh' } };
}

async function readCodeCommit(url: string, env: NodeJS.ProcessEnv): Promise<Target | undefined> {
  const remote = parseRemoteUrl(addressOf(url));
  const plain = readHttps((await locate(remote, env)).url);
  return plain && { ...plain, url, scheme: 'codecommit', ...(remote.profile && { profile: remote.profile }) };
}

/** The address that Git passes to git-remote-codecommit: without the `codecommit::` of `codecommit::region://…`. */
export function addressOf(url: string): string {
  return url.replace(/^codecommit::/, '');
}

function readHttps(url: string): Target | undefined {
  // We read the URL as Git does: to Git, `https:host/path` is a path on the host `https`, over SSH.
  const parsed = /^https:\/\/[^\s\\]+$/i.test(url) ? URL.parse(url) : null;
  const host = parsed?.protocol === 'https:' ? codeCommitHost(parsed.host) : undefined;
  // Only characters that a name can have: the address goes into commands for copying.
  const repository = /^\/v1\/repos\/([\w.%-]+)\/?$/.exec(parsed?.pathname ?? '')?.[1];
  if (parsed === null || host === undefined || repository === undefined) return undefined;
  const https = `https://${parsed.host}${parsed.pathname}`;
  const profile = parsed.username === '' ? {} : { profile: decode(parsed.username) };
  const password = parsed.password === '' ? {} : { hasPassword: true };
  // URL drops the @ of an empty user name.
  const empty = parsed.username === '' && /^https:\/\/[^/?#]*@/i.test(url) ? { emptyUser: true } : {};
  const named = url.replace(/^(https:\/\/[^/?#:@]*):[^/?#]*@/i, '$1@');
  return {
    url: named,
    scheme: 'https',
    https,
    host,
    // To AWS a name that ends in .git is another repository.
    repository,
    ...profile,
    ...password,
    ...empty,
  };
}

/** The HTTPS address with a profile as its user. It is safe to copy into a command. */
export function addressFor(https: string, profile: string | undefined): string {
  return profile === undefined ? https : https.replace('://', () => `://${encodeURIComponent(profile)}@`);
}

/** The same repository as a codecommit:// address, with the region, and with the profile if given. */
export function codeCommitAddress({
  host,
  repository,
  profile,
}: Pick<Target, 'host' | 'repository' | 'profile'>): string {
  const user = profile === undefined ? '' : `${profile}@`;
  return `codecommit::${host.region}://${user}${withoutDotGit(repository)}`;
}

/** A name without .git at its end. CodeCommit allows no such name (CreateRepository), but people may write one out of habit. */
export function withoutDotGit(name: string): string {
  return name.replace(/\.git$/, '');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
