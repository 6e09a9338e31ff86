import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { Problem } from '../problem/problem.ts';
import { readableText } from './read-file.ts';

/** As many symbolic links as Linux follows (path_resolution(7)). */
const mostLinks = 40;

/** The mode bits with which the group and others may write (inode(7)). */
const writableByOthers = 0o022;

/** The mode bit of a folder in which users may remove and rename only their own files (inode(7)). */
export const sticky = 0o1000;

/**
 * Makes sure that no other user can put something in a path's place, now or between our look and our use. Everything on the way must
 * belong to us or to root, and others may write in a folder only when it is sticky. (OpenSSH demands the same of the way to a user's
 * keys, safe_path() in its misc.c, but accepts no sticky folder.) Links are followed. The way ends where nothing exists yet.
 *
 * @param path an absolute path; its last part is checked too
 * @param what what is not safe, a sentence without its full stop
 * @param me our user ID
 * @param proc where proc(5) is mounted
 * @throws Problem `unsafe-folder`
 */
export function checkPath(path: string, what: string, me = process.getuid?.(), proc = '/proc'): void {
  if (me === undefined) return;
  const unsafe = (why: string, fix: string) => unsafeFolder(what, path, why, fix);
  for (const { at, found } of stepsTo(path, unsafe)) {
    if (found.uid !== me && !isRoot(found.uid, proc)) {
      throw unsafe(`${at} belongs to user ${found.uid}, and you are user ${me}.`, othersFix(me));
    }
    const guarded = found.isSymbolicLink() || (found.isDirectory() && (found.mode & sticky) !== 0);
    if ((found.mode & writableByOthers) !== 0 && !guarded) {
      throw unsafe(
        `Others may write to ${at}, whose mode is ${modeOf(found)}, and could put something of theirs there.`,
        found.uid === me
          ? `Run \`chmod go-w '${at}'\`, and try again.`
          : 'Set HOME, or the XDG variable that leads there, to a folder to which only you may write.',
      );
    }
  }
}

/** Each step of the system's way to a path, from the root on, links included. It ends where nothing exists. */
function* stepsTo(
  path: string,
  unsafe: (why: string, fix: string) => Problem,
): Generator<{ at: string; found: Stats }> {
  const rest = ['.', ...path.split('/')];
  let folder = '/';
  for (let links = 0; rest.length > 0; ) {
    const at = join(folder, rest.shift() ?? '');
    const found = look(at);
    if (found === undefined) return;
    yield { at, found };
    if (!found.isSymbolicLink()) {
      folder = at;
      continue;
    }
    if (++links > mostLinks) throw unsafe(`${at} is one symbolic link too many.`, 'Correct the link, and try again.');
    const target = readlinkSync(at);
    rest.unshift(...target.split('/'));
    if (isAbsolute(target)) folder = '/';
  }
}

/** What to do about another user's file in the way. Never to remove it: that user may need it. */
export function othersFix(me: number | undefined): string {
  return me === 0
    ? 'Run it without sudo, as that user.'
    : 'Set HOME and XDG_RUNTIME_DIR to folders of yours, as `su -` does, and try again.';
}

/**
 * Makes sure that root leaves nothing in another user's folder, as it would under `sudo -E`: that user could neither use nor remove
 * it. Root does not follow another user's link either: with such a link that user could make root change any file.
 *
 * @param path what is to be made or changed, an absolute path
 * @throws Problem `unsafe-folder`
 */
export function checkOwner(path: string, me = process.getuid?.()): void {
  // The system itself stops everybody else.
  if (me !== 0) return;
  const unsafe = (why: string, fix: string) => unsafeFolder('Root should not change this', path, why, fix);
  let last: { at: string; found: Stats } | undefined;
  for (const { at, found } of stepsTo(path, unsafe)) {
    if (found.isSymbolicLink() && !isRoot(found.uid)) {
      throw unsafe(`${at} is a link of user ${found.uid}, who says where it leads.`, othersFix(me));
    }
    if (!found.isSymbolicLink()) last = { at, found };
  }
  if (last === undefined || isRoot(last.found.uid)) return;
  throw unsafe(`${last.at} belongs to user ${last.found.uid}, who could not use what root makes.`, othersFix(me));
}

/**
 * The Problem `unsafe-folder`.
 *
 * @param what what is not safe, a sentence without its full stop
 */
export function unsafeFolder(what: string, path: string, why: string, fix: string): Problem {
  return new Problem({ kind: 'unsafe-folder', what: `${what}: ${path}`, why, fix });
}

/** A file's mode as people write it. */
export function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** What is at a path. Undefined also where it cannot be reached: then the path leads nowhere for us. */
function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (['EACCES', 'ENOTDIR', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/**
 * Whether a file's owner is root. In a user namespace without root (a systemd service with PrivateUsers=yes, a sandbox) root's
 * files appear as the overflow user's (user_namespaces(7)).
 */
function isRoot(uid: number, proc = '/proc'): boolean {
  if (uid === 0) return true;
  if (readableText(`${proc}/sys/kernel/overflowuid`).trim() !== String(uid)) return false;
  // A line holds the first user ID inside, the one that it stands for outside, and how many follow.
  return !/^\s*0\s/m.test(readableText(`${proc}/self/uid_map`));
}
