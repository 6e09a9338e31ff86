import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { fetchAtMost } from '../network/fetch-at-most.ts';
import { MAX_BLOB } from './blob.ts';

/** Where FIDO's metadata comes from: a file, or a URL of the Metadata Service. */
export type MetadataSource = { file: string } | { url: string };

/** A source's name in the log and in the database. */
export function nameOf(source: MetadataSource): string {
  return 'file' in source ? source.file : source.url;
}

/**
 * Reads the blob at a source. A URL is fetched through the proxies that the environment names (HTTPS_PROXY, NO_PROXY).
 *
 * @param milliseconds how long fetching may take
 * @param giveUp ends it before
 * @throws Error when it cannot be read, is too long, or does not come in time
 */
export async function readSource(source: MetadataSource, milliseconds: number, giveUp?: AbortSignal): Promise<string> {
  const signals = [AbortSignal.timeout(milliseconds), ...(giveUp === undefined ? [] : [giveUp])];
  if ('file' in source) return (await readFile(source.file)).trim();
  return (await fetchAtMost(source.url, MAX_BLOB, AbortSignal.any(signals))).toString().trim();
}

/** A text that changes when the file does. @throws Error when there is none */
export function versionOfFile(path: string): Promise<string> {
  return withFile(path, async (_, { ino, size, mtimeMs, ctimeMs }) => [ino, size, mtimeMs, ctimeMs].join(' '));
}

function readFile(path: string): Promise<string> {
  return withFile(path, async (file, { size }) => {
    if (size > MAX_BLOB) throw new Error(`it has more than ${MAX_BLOB} bytes`);
    // No more than that, even if the file grows meanwhile.
    const content = Buffer.alloc(size);
    const { bytesRead } = await file.read(content, 0, size, 0);
    return content.toString('utf8', 0, bytesRead);
  });
}

async function withFile<Result>(
  path: string,
  use: (file: FileHandle, stats: Stats) => Promise<Result>,
): Promise<Result> {
  // A FIFO must not block.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error('it is not a file');
    return await use(file, stats);
  } finally {
    await file.close();
  }
}
