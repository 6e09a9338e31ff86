import { currentFolder } from '../files/current-folder.ts';
import { Problem } from '../problem/problem.ts';
import { printable } from '../text/printable.ts';
import { noGit, oldestGit } from './no-git.ts';
import { vouchHelper } from './vouch-helper.ts';

/** Git as a tool: its version, and its configuration, which `setup/` changes. */

/**
 * Makes sure that Git is there and new enough.
 *
 * @throws Problem `no-git`, `old-git`
 */
export async function checkGit(env: NodeJS.ProcessEnv): Promise<GitVersion> {
  const version = await gitVersion(env);
  if (isAtLeast(version, oldestGit)) return version;
  throw new Problem({
    kind: 'old-git',
    what: `This Git is too old for Vouch: ${printable(version.text)}`,
    why: `Vouch needs ${oldestGit.join('.')} or newer.`,
    fix: 'Update Git, then try again.',
  });
}

/** Git's version: as it says it, and its first two numbers (0 when it says something else). */
export interface GitVersion {
  text: string;
  major: number;
  minor: number;
}

/**
 * Which Git is on the PATH.
 *
 * @throws Problem `no-git`
 */
export async function gitVersion(env: NodeJS.ProcessEnv): Promise<GitVersion> {
  const { stdout } = await git(['--version'], env);
  const [, major, minor] = /^git version (\d+)\.(\d+)/.exec(stdout) ?? [];
  return { text: stdout.trim().replace(/^git version /, ''), major: Number(major ?? 0), minor: Number(minor ?? 0) };
}

/** Whether a version is the wanted one or newer. */
export function isAtLeast(
  { major, minor }: GitVersion,
  [wantedMajor, wantedMinor]: readonly [number, number],
): boolean {
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/**
 * Whether Vouch answers a Git in the form that no helper is told to store (`authtype` and `ephemeral`, git-credential(1)). Git
 * announces that form from 2.46 on, but until 2.54 a push of more than http.postBuffer fails with it. `takes_ephemeral` in
 * cli/git-credential-vouch/git-credential-vouch says the same of each Git that announces it.
 */
export function takesEphemeral(version: GitVersion): boolean {
  return isAtLeast(version, [2, 54]);
}

/** A repository's URL on CodeCommit's public hosts: which region it is in makes no difference to Git's configuration. */
const example = 'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/example';

/**
 * Whether Git, as it is configured for this user, asks Vouch last for CodeCommit: that helper's answer counts, because
 * `vouch setup codecommit` clears the ones before it.
 *
 * @returns false as well where there is no Git
 */
export async function gitAsksVouch(env: NodeJS.ProcessEnv): Promise<boolean> {
  const found = git(['config', '--get-urlmatch', 'credential.helper', example], env, { accepted: [0, 1] });
  const { stdout } = await found.catch(() => ({ stdout: '' }));
  return vouchHelper(stdout.trim()) !== undefined;
}

/**
 * Runs Git to its end, and waits for it: for so short a time another way would only cost more.
 *
 * @param accepted exit codes that are results and no errors
 * @throws Problem `no-git`, `git-config` (with what Git said)
 */
export async function git(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  { accepted = [0], cwd }: { accepted?: readonly number[]; cwd?: string | undefined } = {},
): Promise<{ stdout: string; code: number }> {
  // GIT_CONFIG would send `git config` to another file than Git itself reads.
  const { GIT_CONFIG: _, ...clean } = env;
  // Loaded where it is needed: it is in a bundle with code that starts nothing.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { status, signal, stdout, stderr, error } = spawnSync('git', args, {
    env: { ...clean, LC_ALL: 'C' },
    cwd: cwd ?? currentFolder(),
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== null && error === undefined && accepted.includes(status)) return { stdout, code: status };
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') throw noGit();
  throw new Problem({
    kind: 'git-config',
    what: `\`git ${args.slice(0, 2).join(' ')}\` failed.`,
    why: stderr?.trim() || (error?.message ?? `It ended with ${signal ?? `status ${status}`}.`),
    fix: 'Mend that, then try again.',
  });
}
