import { createReadStream } from 'node:fs';
import { Problem } from '../problem/problem.ts';

/**
 * Reads a file that a command was given, or standard input for `-`.
 *
 * @param option the option that names it, for the error
 * @param most how many bytes it may have: one more is read, and no others
 * @throws Problem `option-refused` when it cannot be read
 */
export async function readInput(option: string, file: string, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    const stream = file === '-' ? process.stdin : createReadStream(file);
    for await (const part of stream) {
      parts.push(part as Buffer);
      length += (part as Buffer).length;
      if (length > most) break;
    }
  } catch (error) {
    throw new Problem({
      kind: 'option-refused',
      what: `${option} ${JSON.stringify(file)} cannot be read: ${(error as Error).message}`,
    });
  }
  return Buffer.concat(parts).subarray(0, most + 1);
}
