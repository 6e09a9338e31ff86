import { chmodSync, lstatSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkWay, modeOf, othersFix, sticky, unsafeFolder } from '../files/safe-way.ts';
import { absolute, home } from '../paths.ts';
import { Problem } from '../problem/problem.ts';
import { runUser } from './run-user.ts';

/**
 * The folder of the agent's sockets: `vouch` in $XDG_RUNTIME_DIR, or in logind's `/run/user/UID` where that variable does not
 * lead to a folder (in cron, under `su`); without either, and where an agent already listens there, in $XDG_CACHE_HOME or
 * `~/.cache`. `cli/git-credential-vouch/git-credential-vouch` finds it by the same rules.
 *
 * @throws Problem `no-home`
 */
export function runtimeFolder(env: NodeJS.ProcessEnv): string {
  const [first, ...others] = runtimeFolders(env);
  return [first, ...others].find((folder) => hasAgent(folder)) ?? first;
}

/** Where that folder may be; the first is where the next agent makes it, unless one listens elsewhere. */
export function runtimeFolders(env: NodeJS.ProcessEnv): [string, ...string[]] {
  const named = absolute(env.XDG_RUNTIME_DIR);
  const runtime = named !== undefined && isFolder(named) ? named : folderOfLogind();
  const cache = join(absolute(env.XDG_CACHE_HOME) ?? join(home(env), '.cache'), 'vouch');
  return runtime === undefined ? [cache] : [join(runtime, 'vouch'), cache];
}

/** The folder that systemd's logind makes for a user, which is there as long as the user has a session (or lingers). */
function folderOfLogind(): string | undefined {
  const me = process.getuid?.();
  const folder = join(runUser, String(me));
  const found = statSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() && found.uid === me ? folder : undefined;
}

const agentName = 'agent.sock';

/**
 * The socket that speaks HTTP and JSON with `vouch` itself.
 *
 * @param folder the one that was checked: by the next look another one may have an agent
 */
export function agentSocket(env: NodeJS.ProcessEnv, folder = runtimeFolder(env)): string {
  return join(folder, agentName);
}

/** The socket that speaks what `git credential-cache` speaks with its daemon. */
export function gitSocket(env: NodeJS.ProcessEnv): string {
  return join(runtimeFolder(env), 'git.sock');
}

/** The socket of the sign-in that is under way, if one is (login/lock.ts); as agentSocket. */
export function loginSocket(env: NodeJS.ProcessEnv, folder = runtimeFolder(env)): string {
  return join(folder, 'login.sock');
}

/** Says that nobody answered the sign-in that Git had started last (login/unanswered.ts). */
export function unansweredLogin(env: NodeJS.ProcessEnv): string {
  return join(runtimeFolder(env), 'login.unanswered');
}

const notSafe = "The folder for the agent's sockets is not safe";

/**
 * Makes the runtime folder if need be, and makes sure that nobody else can reach into it: the sockets in it hand out
 * credentials, and who can write there can put their own socket in the agent's place.
 *
 * @returns the folder
 * @throws Problem `unsafe-folder` (a symlink, another owner, open to others, the way to it), `folder` (cannot be made),
 *   `foreign-socket`, `socket-path` (longer than the platform's socket addresses hold), `no-home`
 */
export function prepareRuntimeFolder(env: NodeJS.ProcessEnv): string {
  const folder = runtimeFolder(env);
  checkSocketPath(join(folder, longestSocketName));
  // Before anything is made: in another user's folder it would stay.
  checkWay(dirname(folder), notSafe);
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
  const found = checkRuntimeFolder(folder);
  // By this Git's helper, which cannot see who may write there, knows that nobody else can swap a socket (git-credential-vouch).
  if (found && (found.mode & sticky) === 0) chmodSync(folder, 0o700 | sticky);
  return folder;
}

/**
 * Makes sure that an existing runtime folder is ours alone, and so is the agent's socket in it, and that nobody else can put
 * another one in its place from now on.
 *
 * @returns the folder; undefined when there is none, which is no problem
 * @throws Problem `unsafe-folder`, `folder` (cannot be looked at), `foreign-socket`
 */
export function checkRuntimeFolder(folder: string): Stats | undefined {
  const me = process.getuid?.();
  checkWay(dirname(folder), notSafe, me);
  const found = lookAt(folder);
  if (found === undefined) return undefined;
  const unsafe = (why: string, fix: string) => unsafeFolder(notSafe, folder, why, fix);
  if (me !== undefined && found.uid !== me) {
    throw unsafe(`It belongs to user ${found.uid}, and you are user ${me}.`, othersFix(me));
  }
  const remove = `Look at what it is, remove it (rm -r '${folder}'), and try again.`;
  if (found.isSymbolicLink()) throw unsafe('It is a symbolic link, which could lead into a folder of others.', remove);
  if (!found.isDirectory()) throw unsafe('It is not a folder.', remove);
  if ((found.mode & 0o077) !== 0) {
    throw unsafe(
      `Its mode is ${modeOf(found)}: others may enter it.`,
      `Run \`chmod 1700 '${folder}'\`, and try again.`,
    );
  }
  checkSocket(join(folder, agentName));
  return found;
}

function lookAt(folder: string): Stats | undefined {
  try {
    return lstatSync(folder, { throwIfNoEntry: false });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Below a file there is nothing.
    if (code === 'ENOTDIR') return undefined;
    throw new Problem(
      {
        kind: 'folder',
        what: `The folder for the agent's sockets cannot be looked at: ${folder}`,
        why: message,
        fix: othersFix(process.getuid?.()),
      },
      { cause: error },
    );
  }
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
  const ours = me === undefined || there.uid === me;
  if (there.isSocket() && ours) return true;
  throw new Problem({
    kind: 'foreign-socket',
    what: `Something that is not the agent's socket is in its place: ${path}`,
    why: there.isSocket() ? `It belongs to user ${there.uid}.` : 'It is not a socket.',
    fix: ours ? 'Look at what it is, remove it, and try again.' : othersFix(me),
  });
}

/** The longest name that is bound in the folder: the agent binds under a private name first (runtime-folder/owned-socket.ts). */
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

function hasAgent(folder: string): boolean {
  try {
    return lstatSync(join(folder, agentName), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
