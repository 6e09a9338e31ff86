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
 * Makes sure that no other user can replace any part of a path, now or between check and use. Everything on the path must belong to
 * us or to root, and others may write in a folder only if it is sticky. (OpenSSH requires the same of the path to a user's keys,
 * safe_path() in its misc.c, but accepts no sticky folder.) Links are followed. The check ends at the first part that does not exist.
 *
 * @param path an absolute path; its last part is checked too
 * @param subject what is unsafe, a sentence without its full stop
 * @param me our user ID
 * @param proc where proc(5) is mounted
 * @throws Problem `unsafe-folder`
 */
export function checkPath(path: string, subject: string, me = process.getuid?.(), proc = '/proc'): void {
  if (me === undefined) return;
  const unsafe = (why: string, fix: string) => unsafeFolder(subject, path, why, fix);
  for (const { at, found } of stepsTo(path, unsafe)) {
    if (found.uid !== me && !isRoot(found.uid, proc)) {
      throw unsafe(`${at} belongs to user ${found.uid}, and you are user ${me}.`, othersFix(me));
    }
    const guarded = found.isSymbolicLink() || (found.isDirectory() && (found.mode & sticky) !== 0);
    if ((found.mode & writableByOthers) !== 0 && !guarded) {
      throw unsafe(
        `Others may write to ${at}, whose mode is ${modeOf(found)}, and could put their own file there.`,
        found.uid === me
          ? `Run \`chmod go-w '${at}'\`, and try again.`
          : 'Set HOME, or the XDG variable that leads there, to a folder to which only you may write.',
      );
    }
  }
}

/** Each file and folder through which the system resolves a path, from the root on, links included. Ends where nothing exists. */
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

/** What to do about another user's file in the path. Never remove it: that user may need it. */
export function othersFix(me: number | undefined): string {
  return me === 0
    ? 'Run it without sudo, as that user.'
    : 'Set HOME and XDG_RUNTIME_DIR to your own folders, as `su -` does, and try again.';
}

/**
 * Makes sure that root creates nothing in another user's folder, as could happen under `sudo -E`: that user could neither use nor
 * remove it. Root does not follow another user's link either: with such a link that user could make root change any file.
 *
 * @param path the file to make or change, an absolute path
 * @throws Problem `unsafe-folder`
 */
export function checkOwner(path: string, me = process.getuid?.()): void {
  // The system itself stops all other users.
  if (me !== 0) return;
  const unsafe = (why: string, fix: string) => unsafeFolder('Root should not change this', path, why, fix);
  let last: { at: string; found: Stats } | undefined;
  for (const { at, found } of stepsTo(path, unsafe)) {
    if (found.isSymbolicLink() && !isRoot(found.uid)) {
      throw unsafe(`${at} is a link of user ${found.uid}, who decides where it leads.`, othersFix(me));
    }
    if (!found.isSymbolicLink()) last = { at, found };
  }
  if (last === undefined || isRoot(last.found.uid)) return;
  throw unsafe(
    `${last.at} belongs to user ${last.found.uid}, who could not use a file that root makes.`,
    othersFix(me),
  );
}

/**
 * The Problem `unsafe-folder`.
 *
 * @param subject what is unsafe, a sentence without its full stop
 */
export function unsafeFolder(subject: string, path: string, why: string, fix: string): Problem {
  return new Problem({ kind: 'unsafe-folder', what: `${subject}: ${path}`, why, fix });
}

/** A file's mode as people write it. */
export function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** The file at a path; undefined when there is none, or when we cannot reach it: then the path leads nowhere for us. */
function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (['EACCES', 'ENOTDIR', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/**
 * Whether a file's owner is root. In a user namespace without root (a systemd service with PrivateUsers=yes, a sandbox), root's
 * files appear to belong to the overflow user (user_namespaces(7)).
 */
function isRoot(uid: number, proc = '/proc'): boolean {
  if (uid === 0) return true;
  if (readableText(`${proc}/sys/kernel/overflowuid`).trim() !== String(uid)) return false;
  // Each line contains the first user ID inside the namespace, the matching ID outside, and the length of the range.
  return !/^\s*0\s/m.test(readableText(`${proc}/self/uid_map`));
}
