import { statSync } from 'node:fs';
import { StoreUnavailable } from '../unavailable.ts';

/**
 * Remembers which files an open database has, to find out later whether they are still the ones of their names: SQLite writes
 * into a file that was removed or replaced as into any other, and all of it is lost.
 *
 * @returns a check that throws StoreUnavailable when one is not
 */
export function sameFiles(file: string): () => void {
  // In WAL mode what was committed last is in the second one alone; it stays as long as the database is open.
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
