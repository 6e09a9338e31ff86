import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { Problem } from './problem.ts';

/** As many symbolic links as Linux follows (path_resolution(7)). */
const mostLinks = 40;

/** The bits that let the group and others write, and the one that has them remove and rename only what is theirs (inode(7)). */
const writableByOthers = 0o022;
export const sticky = 0o1000;

/**
 * Makes sure that nobody else can put something in a path's place, now or between a look and a use: everything on the way belongs
 * to us or to root, and others may write in a folder only when it is sticky. (OpenSSH asks the same of the way to a user's keys,
 * safe_path() in its misc.c, but takes no sticky folder.) Links are followed; where nothing is there yet, the way ends.
 *
 * @param path an absolute path; what is there is looked at too
 * @param what the sentence that says what is not safe
 * @param me who we are, as the system counts its users
 * @param proc where the system tells of itself (proc(5))
 * @throws Problem `unsafe-folder`
 */
export function checkWay(path: string, what: string, me = process.getuid?.(), proc = '/proc'): void {
  if (me === undefined) return;
  const unsafe = (why: string, fix: string) =>
    new Problem({ kind: 'unsafe-folder', what: `${what}: ${path}`, why, fix });
  // The root itself comes first.
  const rest = ['.', ...path.split('/')];
  let at = '/';
  for (let links = 0; rest.length > 0; ) {
    const next = join(at, rest.shift() ?? '');
    const found = look(next);
    if (found === undefined) return;
    if (found.uid !== me && !isRoot(found.uid, proc)) {
      throw unsafe(`${next} belongs to user ${found.uid}, and you are user ${me}.`, othersFix(me));
    }
    if (found.isSymbolicLink()) {
      if (++links > mostLinks) throw unsafe(`${next} is one symbolic link too many.`, 'Mend the link, and try again.');
      const target = readlinkSync(next);
      rest.unshift(...target.split('/'));
      if (isAbsolute(target)) at = '/';
      continue;
    }
    const guarded = found.isDirectory() && (found.mode & sticky) !== 0;
    if ((found.mode & writableByOthers) !== 0 && !guarded) {
      throw unsafe(
        `Others may write to ${next}, whose mode is ${modeOf(found)}, and could put something of theirs there.`,
        found.uid === me
          ? `Run \`chmod go-w '${next}'\`, and try again.`
          : 'Set HOME, or the XDG variable that leads there, to a folder to which only you may write.',
      );
    }
    at = next;
  }
}

/** What to do where something of another user's is in the way: never to remove it, as that user may need it. */
export function othersFix(me: number | undefined): string {
  return me === 0
    ? 'Run it without sudo, as that user.'
    : 'Set HOME and XDG_RUNTIME_DIR to folders of yours, as `su -` does, and try again.';
}

/**
 * Makes sure that root leaves nothing in another user's folder, as `sudo -E` would: that user could then neither use nor remove it.
 *
 * @param path what is to be made or changed
 * @throws Problem `unsafe-folder`
 */
export function checkOwner(path: string, me = process.getuid?.()): void {
  // The system keeps everybody else from it.
  if (me !== 0) return;
  let nearest = path;
  let found = look(nearest);
  while (found === undefined && nearest !== dirname(nearest)) {
    nearest = dirname(nearest);
    found = look(nearest);
  }
  if (found === undefined || isRoot(found.uid)) return;
  throw new Problem({
    kind: 'unsafe-folder',
    what: `Root should not change this: ${path}`,
    why: `${nearest} belongs to user ${found.uid}, who could not use what root makes.`,
    fix: othersFix(me),
  });
}

/** A file's mode as people write it. */
export function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** What is there; undefined also where it cannot be reached, because then nobody who uses the path reaches it. */
function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (['EACCES', 'ENOTDIR', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/**
 * Whether a file's owner is root. In a user namespace that does not know root (a service of systemd with PrivateUsers=yes, a
 * sandbox) the files of root show as the overflow user's (user_namespaces(7)).
 */
function isRoot(uid: number, proc = '/proc'): boolean {
  if (uid === 0) return true;
  if (read(`${proc}/sys/kernel/overflowuid`).trim() !== String(uid)) return false;
  // A line: the first of so many users in here, who that is out there, and how many.
  return !/^\s*0\s/m.test(read(`${proc}/self/uid_map`));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
