import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { currentFolder } from '../../files/current-folder.ts';
import { Problem } from '../../problem/problem.ts';
import { git } from '../git.ts';
import { unchangeable } from './unchangeable.ts';

/** The owner of the file: the machine, the user, or the repository. */
export type Scope = 'system' | 'global' | 'local';

/**
 * The file that `git config --<scope>` writes, whether it exists yet or not. If Git cannot name the file before it exists, we apply
 * Git's rules.
 *
 * @throws Problem `no-repository` for `local` outside of one
 */
export async function scopeFile(scope: Scope, env: NodeJS.ProcessEnv, cwd?: string): Promise<string> {
  if (scope === 'local') return localFile(env, cwd);
  const listed = await git(['config', `--${scope}`, '--null', '--show-origin', '--list'], env, {
    accepted: [0, 1, 128],
    cwd,
  });
  const [origin = ''] = listed.stdout.split('\0');
  if (listed.code === 0 && origin.startsWith('file:')) return absolute(origin.slice('file:'.length), cwd);
  return scope === 'global' ? newGlobalFile(env) : systemFile(env, cwd);
}

/** Git writes ~/.gitconfig, unless only the file in XDG's folder exists (git-config(1), FILES). */
function newGlobalFile(env: NodeJS.ProcessEnv): string {
  if (env.GIT_CONFIG_GLOBAL) return absolute(env.GIT_CONFIG_GLOBAL);
  // With a relative HOME, Git itself would search the current folder.
  if (!env.HOME || !isAbsolute(env.HOME)) {
    throw unchangeable('Your Git configuration', `HOME is not ${env.HOME ? `an absolute path: ${env.HOME}` : 'set.'}`);
  }
  const own = join(env.HOME, '.gitconfig');
  const { XDG_CONFIG_HOME } = env;
  const xdg = join(
    XDG_CONFIG_HOME && isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : join(env.HOME, '.config'),
    'git/config',
  );
  return !existsSync(own) && existsSync(xdg) ? xdg : own;
}

/** The file that was compiled into Git. Git passes its name to an editor, and creates nothing. */
async function systemFile(env: NodeJS.ProcessEnv, cwd: string | undefined): Promise<string> {
  const { stdout } = await git(['config', '--system', '--edit'], { ...env, GIT_EDITOR: "printf '%s'" }, { cwd });
  return absolute(stdout, cwd);
}

async function localFile(env: NodeJS.ProcessEnv, cwd: string | undefined): Promise<string> {
  const found = await git(['rev-parse', '--path-format=absolute', '--git-path', 'config'], env, {
    accepted: [0, 128],
    cwd,
  });
  if (found.code === 0) return found.stdout.replace(/\n$/, '');
  throw new Problem({
    kind: 'no-repository',
    what: 'There is no Git repository here, so that --local has no file to write.',
    fix: 'Change into a repository, or leave --local out.',
  });
}

function absolute(path: string, cwd = currentFolder()): string {
  return isAbsolute(path) ? path : resolve(cwd, path);
}
