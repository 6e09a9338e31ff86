import { readRegularFile } from '../read-file.ts';

/** What takes the place of `readFile` of `node:fs/promises` in AWS's reader of config files (vite.config.ts). */
export async function readFile(path: string, encoding: BufferEncoding): Promise<string> {
  return readRegularFile(path).toString(encoding);
}
