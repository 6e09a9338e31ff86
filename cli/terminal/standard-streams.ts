import { readSync, writeSync } from 'node:fs';

/**
 * Standard input and output for programs that people wait for. Node would spend half as much time on setting up `process.stdin` and
 * `process.stdout` as on all the rest of such a program; the file descriptors can be used at once.
 */

/**
 * Reads standard input to its end, and blocks until then.
 *
 * @param longest in bytes
 * @returns undefined when the input is longer
 */
export function readStandardInput(longest: number): Uint8Array | undefined {
  const chunks: Buffer[] = [];
  for (let left = longest; left >= 0; ) {
    const chunk = Buffer.allocUnsafe(65_536);
    const length = untilReady(() => readSync(0, chunk));
    if (length === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, length));
    left -= length;
  }
  return undefined;
}

/**
 * Standard output. All is written when `write` returns.
 *
 * @param failed what to do when writing fails, as when the reader has gone (EPIPE)
 */
export function standardOutput(failed: (error: NodeJS.ErrnoException) => void): { write(text: string): void } {
  return {
    write(text) {
      let rest = Buffer.from(text);
      try {
        while (rest.length > 0) rest = rest.subarray(untilReady(() => writeSync(1, rest)));
      } catch (error) {
        failed(error as NodeJS.ErrnoException);
      }
    },
  };
}

/** Another process that shares our pipe or terminal may have made it non-blocking (EAGAIN). Then we try again, 200 times a second. */
function untilReady(operation: () => number): number {
  for (;;) {
    try {
      return operation();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
