import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** No file of a person's that we read is longer, in bytes, unless it is said. */
const usual = 1024 * 1024;

/**
 * Reads a file whose name somebody else may have given to something else: a pipe would be waited for without end, and a device, or a
 * file of some gigabytes, fill our memory.
 *
 * @param longest the most that is read, in bytes
 * @throws Error of `node:fs`, and one with a sentence when it is no regular file, or longer
 */
export function readRegularFile(path: string, longest: number = usual): Buffer {
  // Without O_NONBLOCK the open itself would wait for somebody who writes into a pipe.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile()) throw new Error('It is no regular file.');
    const tooLong = new Error(`It has more than ${longest} bytes.`);
    if (found.size > longest) throw tooLong;
    // It may grow meanwhile, and some files of the system's have no size.
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
