import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Problem } from './problem/problem.ts';

/** Where everything is that Vouch keeps on a developer's machine, in one file: another platform is then one change. */

/** The file of Vouch's own settings (server URL, preferences; never a secret). */
export function configFile(env: NodeJS.ProcessEnv): string {
  return join(absolute(env.XDG_CONFIG_HOME) ?? join(home(env), '.config'), 'vouch', 'config.json');
}

/**
 * AWS's config file, whose profiles name the roles: `$AWS_CONFIG_FILE`, else `~/.aws/config`. A relative path counts as unset: the
 * folder where a command happens to run must not decide which roles are assumed.
 */
export function awsConfigFile(env: NodeJS.ProcessEnv): string {
  return namedAwsConfigFile(env) ?? join(home(env), '.aws', 'config');
}

/** The file that AWS_CONFIG_FILE names, if any. The credential helper's script writes it the same way, to the letter (agent/protocol/git-request.ts). */
export function namedAwsConfigFile(env: NodeJS.ProcessEnv): string | undefined {
  const file = env.AWS_CONFIG_FILE;
  return file?.startsWith('~/') ? `${home(env)}/${file.slice(2)}` : absolute(file);
}

/**
 * The person's home folder: HOME, or what the system knows when HOME is no absolute path. It is never the folder where a command
 * happens to run.
 *
 * @throws Problem `no-home`
 */
export function home(env: NodeJS.ProcessEnv): string {
  const folder = absolute(env.HOME) ?? absolute(homeOfUser());
  if (folder !== undefined) return folder;
  throw new Problem({
    kind: 'no-home',
    what: 'Your home folder is not known.',
    why: `HOME is ${env.HOME ? `not an absolute path (${env.HOME})` : 'not set'}, and the system knows none for you.`,
    fix: 'Set HOME to your home folder, and try again.',
  });
}

/** The home folder that the system knows; `os.homedir` would believe HOME. */
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
