import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Problem } from '../problem/problem.ts';
import type { PublicDocument } from './documents.ts';

/** The two documents are for everybody. The umask does not change that. */
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;

/**
 * Writes the documents into a folder, which it makes if there is none. A reader finds the old document or the new one, whole, even after a
 * power cut.
 *
 * @returns the files that have changed
 * @throws Problem `documents-not-written`
 */
export async function writeDocuments(folder: string, documents: readonly PublicDocument[]): Promise<string[]> {
  const changed: string[] = [];
  for (const { path, text } of documents) {
    const file = join(resolve(folder), path);
    try {
      if (await has(file, text)) continue;
      await mkdir(dirname(file), { recursive: true, mode: FOLDER_MODE });
      await replace(file, text);
    } catch (error) {
      throw notWritten(file, error as NodeJS.ErrnoException);
    }
    changed.push(file);
  }
  return changed;
}

async function has(file: string, text: string): Promise<boolean> {
  try {
    return (await readFile(file, 'utf8')) === text;
  } catch {
    return false;
  }
}

async function replace(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  // Never through a link that somebody else may have put there.
  const handle = await open(draft, 'wx', FILE_MODE);
  try {
    await write(handle, text);
    await rename(draft, file);
  } catch (error) {
    await unlink(draft).catch(() => {});
    throw error;
  }
  const folder = await open(dirname(file), 'r');
  await folder.sync().finally(() => folder.close());
}

async function write(handle: FileHandle, text: string): Promise<void> {
  try {
    await handle.chmod(FILE_MODE);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function notWritten(file: string, error: NodeJS.ErrnoException): Problem {
  return new Problem({
    kind: 'documents-not-written',
    what: `${file} cannot be written (${error.code ?? error.message}).`,
    why: 'Run as root, this command becomes the user whom the database belongs to.',
    fix: 'Give a folder in which that user may write.',
    cause: error,
  });
}
