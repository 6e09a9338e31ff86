import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

/** A file, folder or symbolic link of a package. Everything belongs to root. */
export interface Entry {
  /** Relative, with slashes: `usr/bin/vouch`. */
  path: string;
  kind: 'file' | 'folder' | 'link';
  /** Permission bits. */
  mode: number;
  /** A file's content. */
  content?: Buffer;
  /** What a link says. */
  target?: string;
  /** Whether an administrator may change the file, and an upgrade must keep what they wrote. */
  settings?: boolean;
}

export const file = (path: string, content: Buffer | string, mode = 0o644): Entry => ({
  path,
  kind: 'file',
  mode,
  content: Buffer.from(content),
});

export const folder = (path: string, mode = 0o755): Entry => ({ path, kind: 'folder', mode });

/** A link that leads from one place of the package to another, wherever the package is put. */
export const link = (path: string, to: string): Entry => ({
  path,
  kind: 'link',
  mode: 0o777,
  target: posix.relative(posix.dirname(path), to),
});

/**
 * The files of a folder on the disk: programs of mode 0755, all else of 0644.
 *
 * @param keep whether to take a file, by its path in the folder
 */
export function filesOf(source: string, to: string, keep: (path: string) => boolean = () => true): Entry[] {
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => keep(path) && statSync(join(source, path)).isFile())
    .map((path) => {
      const isProgram = (statSync(join(source, path)).mode & 0o111) !== 0;
      return file(posix.join(to, path), readFileSync(join(source, path)), isProgram ? 0o755 : 0o644);
    });
}

/** The same entries under another folder. */
export const under = (place: string, entries: readonly Entry[]): Entry[] =>
  entries.map((entry) => ({ ...entry, path: posix.join(place, entry.path) }));

/** Adds the folders in which the entries are, and sorts them all by the bytes of their paths, so that two runs give the same. */
export function complete(entries: readonly Entry[]): Entry[] {
  const all = new Map(entries.map((entry) => [entry.path, entry]));
  if (all.size !== entries.length) throw new Error('Two entries have one path.');
  for (const { path } of entries) {
    for (let up = posix.dirname(path); up !== '.'; up = posix.dirname(up)) {
      if (!all.has(up)) all.set(up, folder(up));
    }
  }
  return [...all.values()].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}
