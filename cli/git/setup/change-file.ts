import {
  closeSync,
  fchmodSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRegularFile } from '../../files/read-file.ts';
import { followLinks } from '../../files/replace-file.ts';
import { checkOwner } from '../../files/safe-path.ts';
import { Problem } from '../../problem/problem.ts';
import { ConfigCopy } from './config-copy.ts';
import { unchangeable } from './unchangeable.ts';

/**
 * Changes one of Git's configuration files in one step. All edits are made on a copy, which then replaces the file as Git would do
 * it: through a lock file beside it, which is renamed. If anything fails, the file stays as it was. A symbolic link stays a link, and
 * the mode is kept.
 *
 * @param file as `scopeFile` gives it
 * @param edit edits the copy
 * @param dryRun whether to stop before the file is touched, and take no lock
 * @returns the file's text before and after
 * @throws Problem `config-locked`, `config-file`; `unsafe-folder` when we are root and the file is another user's
 */
export async function changeConfigFile<T>(
  file: string,
  env: NodeJS.ProcessEnv,
  { dryRun }: { dryRun: boolean },
  edit: (copy: ConfigCopy) => Promise<T>,
): Promise<{ before: string; after: string; result: T }> {
  const target = followLinks(file);
  const found = statSync(target, { throwIfNoEntry: false });
  if (found && !found.isFile()) throw unchangeable(file, 'It is not a regular file.');
  if (!dryRun) checkOwner(file);
  const lock = dryRun ? undefined : takeLock(file, `${target}.lock`, found?.mode);
  const folder = mkdtempSync(join(tmpdir(), 'vouch-'));
  try {
    const path = join(folder, 'config');
    const before = read(target);
    writeFileSync(path, before ?? '', { mode: 0o600 });
    const result = await edit(new ConfigCopy(path, file, env));
    const after = readFileSync(path);
    const same = after.equals(before ?? Buffer.alloc(0));
    if (lock !== undefined && !same) {
      writeFileSync(lock.descriptor, after);
      fsyncSync(lock.descriptor);
      renameSync(lock.path, target);
    }
    return { before: (before ?? '').toString(), after: after.toString(), result };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    if (lock !== undefined) {
      closeSync(lock.descriptor);
      // After the rename the lock is gone, or there is another program's lock by now.
      if (lock.isStillThere()) rmSync(lock.path, { force: true });
    }
  }
}

function takeLock(file: string, path: string, mode?: number) {
  try {
    // As in Git, the process that creates the lock file has the lock (api-lockfile in Git's sources). The lock file is never open to
    // more people than the file itself, which may contain tokens.
    const descriptor = openSync(path, 'wx', (mode ?? 0o666) & 0o666);
    // The umask does not apply to fchmod.
    if (mode !== undefined) fchmodSync(descriptor, mode & 0o7777);
    const { ino } = statSync(path);
    return { descriptor, path, isStillThere: () => statSync(path, { throwIfNoEntry: false })?.ino === ino };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new Problem({
        kind: 'config-locked',
        what: `Another program is changing ${file}, or was ended while it did.`,
        why: `Git's lock is there: ${path}`,
        fix: `Try again. If nothing is running, remove that file (rm '${path}').`,
      });
    }
    throw unchangeable(file, (error as Error).message, error);
  }
}

/** Longer than any Git config file, in bytes. */
const longestConfig = 16 * 1024 * 1024;

function read(file: string): Buffer | undefined {
  try {
    return readRegularFile(file, longestConfig);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unchangeable(file, (error as Error).message, error);
  }
}
