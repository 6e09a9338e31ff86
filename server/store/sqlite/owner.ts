import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Has this process go on as a database's owner, when it is root's: then all that it makes is theirs, and nothing that they have put
 * into the database's folder can lead root elsewhere. Done before anything there is opened.
 *
 * @param file the database, which need not be there yet
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
 * Whoever put it there; where that was root, or nobody yet, the owner of its folder, who can put something else there at any time.
 * A link is not followed, as whoever made it says where it leads, unless it is root's in a folder of root's.
 */
function ownerOf(file: string): Stats {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found !== undefined && found.uid !== 0) return found;
  const folder = statSync(dirname(file));
  return folder.uid === 0 && found?.isSymbolicLink() ? ownerOf(realpathSync(file)) : folder;
}
