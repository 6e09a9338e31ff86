import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { settingRefused } from '../problem/setting-refused.ts';

/** What a file that a setting names should be. */
export interface ExpectedContent {
  /** What it holds, for the error: `the master key`. */
  holds: string;
  /** In bytes. */
  maxSize: number;
}

/**
 * Reads a file that a setting names.
 *
 * @param setting where the file is named, for the error
 * @param check throws if the file must not be read
 * @throws Problem `setting-refused` when it cannot be read, is no regular file, or is too long
 */
export function readSettingFile(
  setting: string,
  file: string,
  { holds, maxSize }: ExpectedContent,
  check: (found: Stats) => void = () => {},
): string {
  // Opened once, so that the checked file is the one that is read. A FIFO must not block.
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw settingRefused(setting, file, `a file that holds ${holds} and can be read (${code})`);
  }
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile() || found.size > maxSize) throw settingRefused(setting, file, `a file that holds ${holds}`);
    check(found);
    const content = Buffer.alloc(maxSize);
    return content.toString('utf8', 0, readSync(descriptor, content));
  } finally {
    closeSync(descriptor);
  }
}
