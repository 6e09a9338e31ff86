import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Switches a process of root to the database's owner. All files that it makes then belong to the owner, and nothing in the database's
 * folder can lead root elsewhere. Call it before anything there is opened.
 *
 * @param file the database, which need not exist yet
 */
export function becomeOwnerOf(file: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = ownerOf(resolve(file));
  if (uid === 0) return;
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

/**
 * The file's owner. If that is root, or there is no file yet, the folder's owner, who could replace the file at any time. Links are not
 * followed, except root's links in root's folders: any other link could lead anywhere.
 */
function ownerOf(file: string): Stats {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found !== undefined && found.uid !== 0) return found;
  const folder = statSync(dirname(file));
  return folder.uid === 0 && found?.isSymbolicLink() ? ownerOf(realpathSync(file)) : folder;
}
