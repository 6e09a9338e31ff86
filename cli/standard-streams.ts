import { readSync, writeSync } from 'node:fs';

/**
 * Standard input and output for programs that people wait for. `process.stdin` and `process.stdout` take Node as long to set
 * up as half of what such a program does; the file descriptors are there at once.
 */

/**
 * Reads standard input to its end.
 *
 * @param longest in bytes
 * @returns undefined when there is more than that
 */
export async function readStandardInput(longest: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of standardInput()) {
    length += chunk.length;
    if (length > longest) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* standardInput(): AsyncGenerator<Buffer> {
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(65_536);
      const length = readSync(0, chunk);
      if (length === 0) return;
      yield chunk.subarray(0, length);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
  // Somebody has made it non-blocking, and there is nothing in it yet: the stream knows how to wait.
  yield* process.stdin;
}

/**
 * Standard output, whose bytes are on their way when `write` returns.
 *
 * @param failed what to do when it cannot be written to, such as when nobody reads it any longer (EPIPE)
 */
export function standardOutput(failed: (error: NodeJS.ErrnoException) => void): { write(text: string): void } {
  return {
    write(text) {
      let rest = Buffer.from(text);
      try {
        while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return failed(error as NodeJS.ErrnoException);
        // Somebody has made it non-blocking, and it is full: the stream knows how to wait.
        process.stdout.once('error', failed).write(rest);
      }
    },
  };
}
