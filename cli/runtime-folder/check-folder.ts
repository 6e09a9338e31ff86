import { lstatSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkPath, modeOf, othersFix, unsafeFolder } from '../files/safe-path.ts';
import { Problem } from '../problem/problem.ts';
import { checkSocket } from './check-socket.ts';
import { agentName } from './runtime-folder.ts';

/** How a Problem about this folder begins. */
export const notSafe = "The folder for the agent's sockets is not safe";

/**
 * Makes sure that an existing runtime folder and the agent's socket in it are ours alone, and that nobody else can replace them
 * from now on.
 *
 * @returns the folder's attributes; undefined when there is none, which is fine
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
