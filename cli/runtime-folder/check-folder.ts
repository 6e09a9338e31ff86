import { chmodSync, lstatSync, mkdirSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkPath, modeOf, othersFix, sticky, unsafeFolder } from '../files/safe-path.ts';
import { Problem } from '../problem/problem.ts';
import { checkSocket, checkSocketPath } from './check-socket.ts';
import { agentName, runtimeFolder } from './runtime-folder.ts';

/** The longest name of a socket in the folder: the agent binds its sockets under private names first (owned-socket.ts). */
const longestSocketName = 'agent.4194304.ffffffff.sock';

const notSafe = "The folder for the agent's sockets is not safe";

/**
 * Makes the runtime folder if there is none, and makes sure that nobody else can reach into it. Its sockets hand out credentials,
 * and anybody who can write there can put a socket of their own in the agent's place.
 *
 * @returns the folder
 * @throws Problem `unsafe-folder` (a symlink, another owner, open to others, the way to it), `folder` (cannot be made),
 *   `foreign-socket`, `socket-path` (longer than the platform's socket addresses hold), `no-home`
 */
export function prepareRuntimeFolder(env: NodeJS.ProcessEnv): string {
  const folder = runtimeFolder(env);
  checkSocketPath(join(folder, longestSocketName));
  // Checked first, as what we make in another user's folder would stay there.
  checkPath(dirname(folder), notSafe);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      const fix = 'Make it yourself with mode 0700, or set XDG_RUNTIME_DIR to a folder of yours.';
      throw unusableFolder(`The folder for the agent's sockets cannot be made: ${folder}`, error, fix);
    }
  }
  const found = checkRuntimeFolder(folder);
  // Git's helper cannot see who may write to a folder. The sticky bit tells it that nobody else can swap a socket there.
  if (found && (found.mode & sticky) === 0) chmodSync(folder, 0o700 | sticky);
  return folder;
}

/**
 * Makes sure that an existing runtime folder and the agent's socket in it are ours alone, and that nobody else can replace them
 * from now on.
 *
 * @returns the folder's attributes; undefined when there is none, which is no problem
 * @throws Problem `unsafe-folder`, `folder` (cannot be looked at), `foreign-socket`
 */
export function checkRuntimeFolder(folder: string): Stats | undefined {
  const me = process.getuid?.();
  checkPath(dirname(folder), notSafe, me);
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
    // There is nothing below a file.
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    const what = `The folder for the agent's sockets cannot be looked at: ${folder}`;
    throw unusableFolder(what, error, othersFix(process.getuid?.()));
  }
}

/** The system does not let us use the folder. */
export function unusableFolder(what: string, cause: unknown, fix: string): Problem {
  return new Problem({ kind: 'folder', what, why: (cause as Error).message, fix }, { cause });
}
