import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Problem } from './problem/problem.ts';

/** The paths of all that Vouch keeps on a developer's machine, in one file, so that another platform needs only one change. */

/** The file of Vouch's own settings (server URL, preferences; never a secret). */
export function configFile(env: NodeJS.ProcessEnv): string {
  return join(absolute(env.XDG_CONFIG_HOME) ?? join(home(env), '.config'), 'vouch', 'config.json');
}

/**
 * AWS's config file, whose profiles name the roles: `$AWS_CONFIG_FILE`, by default `~/.aws/config`. A relative path counts as unset:
 * the current folder must not decide which roles are assumed.
 */
export function awsConfigFile(env: NodeJS.ProcessEnv): string {
  return namedAwsConfigFile(env) ?? join(home(env), '.aws', 'config');
}

/** The file that AWS_CONFIG_FILE names, if any. The helper's script builds exactly the same path (agent/protocol/git-request.ts). */
export function namedAwsConfigFile(env: NodeJS.ProcessEnv): string | undefined {
  const file = env.AWS_CONFIG_FILE;
  return file?.startsWith('~/') ? `${home(env)}/${file.slice(2)}` : absolute(file);
}

/**
 * The person's home folder: HOME or, if that is not an absolute path, the folder in the system's user database. It is never relative
 * to the current folder.
 *
 * @throws Problem `no-home`
 */
export function home(env: NodeJS.ProcessEnv): string {
  const folder = absolute(env.HOME) ?? absolute(homeOfUser());
  if (folder !== undefined) return folder;
  throw new Problem({
    kind: 'no-home',
    what: 'Your home folder is not known.',
    why: `HOME is ${env.HOME ? `not an absolute path (${env.HOME})` : 'not set'}, and the system has none for you.`,
    fix: 'Set HOME to your home folder, and try again.',
  });
}

/** The home folder in the system's user database; `os.homedir` would return HOME. */
function homeOfUser(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    return undefined;
  }
}

/** A path from a variable. An empty or relative one counts as unset (XDG Base Directory Specification). */
export function absolute(path: string | undefined): string | undefined {
  return path && isAbsolute(path) ? path : undefined;
}
