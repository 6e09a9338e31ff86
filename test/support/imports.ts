import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** One import in a source file. Paths are relative to the package's root. */
export interface Import {
  /** The importing file. */
  from: string;
  /** The imported file or package. */
  to: string;
  /** `type` does not exist when the program runs; `later` is an `import()`. */
  when: 'start' | 'later' | 'type';
}

/** All source files below a folder, as paths relative to the package's root. */
export function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => posix.join(folder, file))
    .filter((file) => /\.tsx?$/.test(file));
}

/** The imports of a file. Biome formats them, so a regular expression finds them all. */
export function importsOf(from: string): Import[] {
  const text = readFileSync(join(root, from), 'utf8');
  const found = text.matchAll(/^(?:import|export) (type )?(?:[^'"`;]*? from )?'([^']+)'|\bimport\('([^']+)'\)/gm);
  return [...found].map(([, type, atStart, later]) => {
    const named = atStart ?? later ?? '';
    const to = named.startsWith('.') ? posix.join(posix.dirname(from), named) : named;
    return { from, to, when: later ? 'later' : type ? 'type' : 'start' };
  });
}

/** Everything that a program loads at its start: our own files, and the names of packages and of Node's modules. */
export function loadedAtStart(source: string): Set<string> {
  const loaded = new Set([source]);
  for (const file of loaded) {
    if (!/\.tsx?$/.test(file)) continue;
    for (const { to, when } of importsOf(file)) if (when === 'start') loaded.add(to);
  }
  return loaded;
}
