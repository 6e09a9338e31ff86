import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** One import of a source file. */
export interface Import {
  /** The file that has it, from the package's root. */
  from: string;
  /** What it names: a file from the package's root, or a package. */
  to: string;
  /** `type` is gone when the program runs; `later` is an `import()`. */
  when: 'start' | 'later' | 'type';
}

/** All source files below a folder, from the package's root. */
export function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => posix.join(folder, file))
    .filter((file) => /\.tsx?$/.test(file));
}

/** The imports of a file. Biome formats all of them, so their shape is known. */
export function importsOf(from: string): Import[] {
  const text = readFileSync(join(root, from), 'utf8');
  const found = text.matchAll(/^(?:import|export) (type )?(?:[^'"`;]*? from )?'([^']+)'|\bimport\('([^']+)'\)/gm);
  return [...found].map(([, type, atStart, later]) => {
    const named = atStart ?? later ?? '';
    const to = named.startsWith('.') ? posix.join(posix.dirname(from), named) : named;
    return { from, to, when: later ? 'later' : type ? 'type' : 'start' };
  });
}

/** What a program loads at its start: our own files and, by their names, packages and parts of Node. */
export function loadedAtStart(source: string): Set<string> {
  const loaded = new Set([source]);
  for (const file of loaded) {
    if (!/\.tsx?$/.test(file)) continue;
    for (const { to, when } of importsOf(file)) if (when === 'start') loaded.add(to);
  }
  return loaded;
}
