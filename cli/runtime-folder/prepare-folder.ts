import { chmodSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkPath, sticky } from '../files/safe-path.ts';
import { checkRuntimeFolder, notSafe, unusableFolder } from './check-folder.ts';
import { checkSocketPath } from './check-socket.ts';
import { runtimeFolder } from './runtime-folder.ts';

/** The longest name of a socket in the folder: the agent binds its sockets under private names first (owned-socket.ts). */
const longestSocketName = 'agent.4194304.ffffffff.sock';

/**
 * Makes the runtime folder if there is none, and makes sure that nobody else can reach into it. Its sockets hand out credentials,
 * and anybody who can write there can put another socket in the place of the agent's.
 *
 * @returns the folder
 * @throws Problem `unsafe-folder` (a symlink, another owner, open to others, an unsafe path to it), `folder` (cannot be made),
 *   `foreign-socket`, `socket-path` (longer than the platform's socket addresses hold), `no-home`
 */
export function prepareRuntimeFolder(env: NodeJS.ProcessEnv): string {
  const folder = runtimeFolder(env);
  checkSocketPath(join(folder, longestSocketName));
  // Check first, so that we leave nothing in another user's folder.
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
  // Git's helper cannot see who may write to a folder. The sticky bit shows that nobody else can swap a socket there.
  if (found && (found.mode & sticky) === 0) chmodSync(folder, 0o700 | sticky);
  return folder;
}
