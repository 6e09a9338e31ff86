import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Problem } from './problem.ts';

/** Everything that Vouch keeps on a developer's machine has its place here, so that another platform is one change. */

/**
 * The folder of the agent's sockets: `$XDG_RUNTIME_DIR/vouch`, else `$XDG_CACHE_HOME/vouch`, else `~/.cache/vouch`.
 * A relative path in these variables counts as unset (XDG Base Directory Specification), and so does an
 * XDG_RUNTIME_DIR that does not exist, as under `su`. `cli/git/git-credential-vouch` finds it by the same rules.
 */
export function runtimeFolder(env: NodeJS.ProcessEnv = process.env): string {
  const runtime = env.XDG_RUNTIME_DIR;
  if (runtime && isAbsolute(runtime) && isFolder(runtime)) return join(runtime, 'vouch');
  const cache = env.XDG_CACHE_HOME;
  return join(cache && isAbsolute(cache) ? cache : join(home(env), '.cache'), 'vouch');
}

const agentName = 'agent.sock';

/** The socket that speaks HTTP and JSON with `vouch` itself. */
export function agentSocket(env: NodeJS.ProcessEnv = process.env): string {
  return join(runtimeFolder(env), agentName);
}

/** The socket that speaks what `git credential-cache` speaks with its daemon. */
export function gitSocket(env: NodeJS.ProcessEnv = process.env): string {
  return join(runtimeFolder(env), 'git.sock');
}

/** The socket of the sign-in that is under way, if one is (login/lock.ts). */
export function loginSocket(env: NodeJS.ProcessEnv = process.env): string {
  return join(runtimeFolder(env), 'login.sock');
}

/** Says that nobody answered the sign-in that Git had started last (login/unanswered.ts). */
export function unansweredLogin(env: NodeJS.ProcessEnv = process.env): string {
  return join(runtimeFolder(env), 'login.unanswered');
}

/** Vouch's own settings (server URL, preferences; never a secret). */
export function configFile(env: NodeJS.ProcessEnv = process.env): string {
  const config = env.XDG_CONFIG_HOME;
  return join(config && isAbsolute(config) ? config : join(home(env), '.config'), 'vouch', 'config.json');
}

/** AWS's config file, where the profiles are that name a role: `$AWS_CONFIG_FILE`, else `~/.aws/config`. */
export function awsConfigFile(env: NodeJS.ProcessEnv = process.env): string {
  const file = env.AWS_CONFIG_FILE;
  if (!file) return join(home(env), '.aws', 'config');
  return file.startsWith('~/') ? join(home(env), file.slice(2)) : file;
}

/**
 * Makes the runtime folder if need be, and makes sure that nobody else can reach into it: the sockets in it hand out
 * credentials, and who can write there can put their own socket in the agent's place.
 *
 * @returns the folder
 * @throws Problem `unsafe-folder` (a symlink, another owner, open to others), `folder` (cannot be made), `foreign-socket`,
 *   `socket-path` (longer than the platform's socket addresses hold)
 */
export function prepareRuntimeFolder(env: NodeJS.ProcessEnv = process.env): string {
  const folder = runtimeFolder(env);
  checkSocketPath(join(folder, longestSocketName));
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new Problem(
        {
          kind: 'folder',
          what: `The folder for the agent's sockets cannot be made: ${folder}`,
          why: (error as Error).message,
          fix: 'Make it yourself with mode 0700, or set XDG_RUNTIME_DIR to a folder of yours.',
        },
        { cause: error },
      );
    }
  }
  checkRuntimeFolder(folder);
  return folder;
}

/**
 * Makes sure that an existing runtime folder is ours alone, and so is the agent's socket in it.
 *
 * @throws Problem `unsafe-folder`, `foreign-socket`; a folder that does not exist is no problem, and no folder
 */
export function checkRuntimeFolder(folder: string): void {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return;
  const unsafe = (why: string, fix: string) =>
    new Problem({ kind: 'unsafe-folder', what: `The folder for the agent's sockets is not safe: ${folder}`, why, fix });
  const remove = `Look at what it is, remove it (rm -r '${folder}'), and try again.`;
  if (found.isSymbolicLink()) throw unsafe('It is a symbolic link, which could lead into a folder of others.', remove);
  if (!found.isDirectory()) throw unsafe('It is not a folder.', remove);
  const me = process.getuid?.();
  if (me !== undefined && found.uid !== me) {
    throw unsafe(`It belongs to user ${found.uid}, and you are user ${me}.`, 'Remove it as that user, and try again.');
  }
  if ((found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
    throw unsafe(`Its mode is ${mode}: others may enter it.`, `Run \`chmod 700 '${folder}'\`, and try again.`);
  }
  checkSocket(join(folder, agentName));
}

/**
 * Makes sure that what has a socket's name is a socket of ours: who listens behind another one would be handed the session.
 *
 * @returns whether anything has the name
 * @throws Problem `foreign-socket`
 */
export function checkSocket(path: string): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return false;
  const me = process.getuid?.();
  if (there.isSocket() && (me === undefined || there.uid === me)) return true;
  throw new Problem({
    kind: 'foreign-socket',
    what: `Something that is not the agent's socket is in its place: ${path}`,
    why: there.isSocket() ? `It belongs to user ${there.uid}.` : 'It is not a socket.',
    fix: 'Look at what it is, remove it, and try again.',
  });
}

/** The longest name that is bound in the folder: the agent binds under a private name first (agent/sockets.ts). */
const longestSocketName = 'agent.4194304.ffffffff.sock';

/**
 * Makes sure that a socket's path fits into `sockaddr_un` (unix(7): 108 bytes with the final NUL on Linux, 104 elsewhere);
 * Node would cut a longer one off without a word.
 *
 * @throws Problem `socket-path`
 */
export function checkSocketPath(path: string, platform: NodeJS.Platform = process.platform): void {
  const most = platform === 'linux' ? 107 : 103;
  const length = Buffer.byteLength(path);
  if (length <= most) return;
  throw new Problem({
    kind: 'socket-path',
    what: `The path of the agent's socket is too long: ${path}`,
    why: `It is ${length} bytes long, and a socket's path may have ${most}.`,
    fix: 'Set XDG_RUNTIME_DIR to a shorter folder of yours, in your shell profile, so that Git sees it too.',
  });
}

function home(env: NodeJS.ProcessEnv): string {
  const folder = env.HOME;
  return folder && isAbsolute(folder) ? folder : homedir();
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
