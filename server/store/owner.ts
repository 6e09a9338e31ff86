import { chownSync, statSync } from 'node:fs';

/** Whether this process may give files to others. */
const isRoot = () => process.geteuid?.() === 0;

/**
 * Gives a file that root has made to whoever owns another one, as the service's own user could not open it else. Does nothing for
 * other users: what they make is theirs.
 *
 * @param like the database beside it, or the folder it lies in
 */
export function giveToOwnerOf(like: string, file: string): void {
  if (!isRoot()) return;
  const { uid, gid } = statSync(like);
  chownSync(file, uid, gid);
}

/**
 * Has this process go on as a file's owner, when it is root's: then all that it makes is theirs, and nothing that they have put
 * there can lead it elsewhere.
 */
export function becomeOwnerOf(file: string): void {
  const { uid, gid } = statSync(file);
  if (!isRoot() || uid === 0) return;
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}
