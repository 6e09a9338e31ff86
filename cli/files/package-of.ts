import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readTextFile } from './read-file.ts';

/** The npm package that a program belongs to. */
export interface Package {
  name: string;
  version: string;
  folder: string;
}

/**
 * Finds the package of a program: follows the link that npm put on the PATH, and looks upward from there.
 *
 * @returns undefined when the program is in no package, or the package cannot be read
 */
export function packageOf(file: string): Package | undefined {
  try {
    for (let folder = dirname(realpathSync(file)); ; folder = dirname(folder)) {
      const found = manifest(folder);
      if (found) return { ...found, folder };
      if (folder === dirname(folder)) return undefined;
    }
  } catch {
    return undefined;
  }
}

function manifest(folder: string): { name: string; version: string } | undefined {
  try {
    const { name, version } = JSON.parse(readTextFile(join(folder, 'package.json'))) as Record<string, unknown>;
    return typeof name === 'string' && typeof version === 'string' ? { name, version } : undefined;
  } catch {
    return undefined;
  }
}

/** The package of this very program. */
export function ourPackage(): Package | undefined {
  return packageOf(import.meta.filename);
}
