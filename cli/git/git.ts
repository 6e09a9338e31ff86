import { currentFolder } from '../files/current-folder.ts';
import { Problem } from '../problem/problem.ts';
import { printable } from '../text/printable.ts';
import { noGit, oldestGit } from './required-git.ts';
import { vouchHelper } from './vouch-helper.ts';

/** Git as a program: how to run it, its version, and whether it asks Vouch for credentials. */

/**
 * Makes sure that Git is installed and new enough.
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

/** Git's version: as Git prints it, and its first two numbers (0 if Git prints something else). */
export interface GitVersion {
  text: string;
  major: number;
  minor: number;
}

/**
 * The version of the Git on the PATH.
 *
 * @throws Problem `no-git`
 */
export async function gitVersion(env: NodeJS.ProcessEnv): Promise<GitVersion> {
  const { stdout } = await git(['--version'], env);
  const [, major, minor] = /^git version (\d+)\.(\d+)/.exec(stdout) ?? [];
  return { text: stdout.trim().replace(/^git version /, ''), major: Number(major ?? 0), minor: Number(minor ?? 0) };
}

/** Whether a version is this one or newer. */
export function isAtLeast(
  { major, minor }: GitVersion,
  [wantedMajor, wantedMinor]: readonly [number, number],
): boolean {
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/**
 * Whether Vouch answers this Git in the form that Git tells no helper to store (`authtype` and `ephemeral`, git-credential(1)). Git
 * announces that form from 2.46 on, but until 2.54 a push of more than http.postBuffer fails with it. `takes_ephemeral` in
 * cli/git-credential-vouch/git-credential-vouch gives the same answer for each Git that announces the form.
 */
export function takesEphemeral(version: GitVersion): boolean {
  return isAtLeast(version, [2, 54]);
}

/** A repository's URL on one of CodeCommit's public hosts. The region makes no difference to Git's configuration. */
const example = 'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/example';

/**
 * Whether Vouch is the last helper that Git, as configured for this user, asks for CodeCommit. The last one's answer counts, because
 * `vouch setup codecommit` clears the others.
 *
 * @returns false also without Git
 */
export async function gitAsksVouch(env: NodeJS.ProcessEnv): Promise<boolean> {
  const found = git(['config', '--get-urlmatch', 'credential.helper', example], env, { accepted: [0, 1] });
  const { stdout } = await found.catch(() => ({ stdout: '' }));
  return vouchHelper(stdout.trim()) !== undefined;
}

/**
 * Runs Git to its end. Blocks: Git is so quick here that waiting asynchronously would take longer.
 *
 * @param accepted exit codes that are results, not errors
 * @throws Problem `no-git`, `git-config` (with Git's message)
 */
export async function git(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  { accepted = [0], cwd }: { accepted?: readonly number[]; cwd?: string | undefined } = {},
): Promise<{ stdout: string; code: number }> {
  // GIT_CONFIG would make `git config` read another file than Git itself does.
  const { GIT_CONFIG: _, ...clean } = env;
  // Loaded only here: the bundle also contains code that starts no process.
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
    fix: 'Correct that, then try again.',
  });
}
