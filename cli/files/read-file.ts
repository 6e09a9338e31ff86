import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Longer than any file that we usually read, in bytes. */
const usualLongest = 1024 * 1024;

/**
 * Reads a file, and nothing else that its name may lead to by now. A pipe could make us wait forever, and a device or a huge file
 * could fill our memory.
 *
 * @param longest the most that is read, in bytes
 * @throws Error of `node:fs`; an Error whose message is a sentence when the file is not a regular file, or is too long
 */
export function readRegularFile(path: string, longest: number = usualLongest): Buffer {
  // Without O_NONBLOCK the open itself would wait until another program writes into a pipe.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile()) throw new Error('It is not a regular file.');
    const tooLong = new Error(`It has more than ${longest} bytes.`);
    if (found.size > longest) throw tooLong;
    // The file may grow meanwhile, and some of the system's files have no size.
    const bytes = Buffer.alloc(Math.min(longest, Math.max(found.size, 4096)) + 1);
    let length = 0;
    for (;;) {
      const read = readSync(descriptor, bytes, length, bytes.length - length, null);
      length += read;
      if (read === 0) return bytes.subarray(0, length);
      if (length === bytes.length) throw tooLong;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** As readRegularFile, as text in UTF-8. */
export function readTextFile(path: string, longest?: number): string {
  return readRegularFile(path, longest).toString('utf8');
}

/** As readTextFile; undefined when there is no such file. */
export function readTextIfThere(path: string): string | undefined {
  try {
    return readTextFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** As readTextFile; an empty text when the file cannot be read, for any reason. */
export function readableText(path: string): string {
  try {
    return readTextFile(path);
  } catch {
    return '';
  }
}
