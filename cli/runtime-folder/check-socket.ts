import { lstatSync } from 'node:fs';
import { othersFix } from '../files/safe-path.ts';
import { Problem } from '../problem/problem.ts';

/**
 * Makes sure that a name in the folder belongs to our user's socket. Otherwise we might send the session to another user's
 * program.
 *
 * @returns whether there is anything of that name
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

/**
 * Makes sure that a socket's path fits into `sockaddr_un` (unix(7): 108 bytes with the final NUL on Linux, 104 elsewhere). Node
 * would silently cut a longer one.
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
