import { statSync } from 'node:fs';
import { StoreUnavailable } from '../unavailable.ts';

/**
 * Remembers an open database's files, to find out later whether they still have their names. SQLite goes on writing into a file that
 * was removed or replaced, and all of that is lost.
 *
 * @returns a check that throws StoreUnavailable when a file was removed or replaced
 */
export function sameFiles(file: string): () => void {
  // The latest commits are in the WAL alone, which stays as long as the database is open.
  const files = [file, `${file}-wal`].map((path) => ({ path, identity: identify(path) }));
  return () => {
    for (const { path, identity } of files) {
      if (identify(path) === identity) continue;
      throw new StoreUnavailable(`${path} was removed or replaced while the server ran: start the server again`, 30);
    }
  };
}

function identify(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? 'none' : `${found.dev} ${found.ino}`;
}
