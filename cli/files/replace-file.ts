import { chmodSync, lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Problem } from '../problem/problem.ts';
import { checkOwner } from './safe-path.ts';

/**
 * Replaces a file's content in one step: writes a new file beside it, and renames the new file. So a reader sees the old content or
 * the new, and a full disk costs nothing. A symbolic link stays a link: its target is replaced. The mode is kept; a new file gets
 * 0600, and a new folder 0700.
 *
 * @throws Problem `not-written`; `unsafe-folder` when we are root and the file is another user's
 */
export function replaceFile(path: string, content: string): void {
  try {
    replace(path, content);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(
      {
        kind: 'not-written',
        what: `${path} could not be written.`,
        why: (error as Error).message,
        fix: 'Check its owner and mode, then try again.',
      },
      { cause: error },
    );
  }
}

function replace(path: string, content: string): void {
  checkOwner(path);
  const target = followLinks(path);
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const mode = (statSync(target, { throwIfNoEntry: false })?.mode ?? 0o600) & 0o777;
  const temporary = join(dirname(target), `.vouch-${process.pid}-${Date.now()}.tmp`);
  try {
    writeFileSync(temporary, content, { mode: mode & 0o600, flag: 'wx', flush: true });
    // The umask does not apply to this.
    chmodSync(temporary, mode);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Where a path leads, even when its target does not exist yet, as with a link into a folder of dotfiles. */
export function followLinks(path: string): string {
  let target = resolve(path);
  // Linux follows as many links (path_resolution(7)).
  for (let links = 0; links < 40; links++) {
    if (!lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink()) return target;
    target = resolve(dirname(target), readlinkSync(target));
  }
  throw new Error(`Too many symbolic links: ${path}`);
}
