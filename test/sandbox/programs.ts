import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };

const root = resolve(import.meta.dirname, '../..');

/**
 * A folder for PATH in which our programs stand as npm's global install would link them, with the Node that runs this.
 *
 * @param folder made by this call
 */
export function installPrograms(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, file] of Object.entries(manifest.bin)) {
    const program = join(root, file);
    // npm makes what it links executable; the build does not.
    chmodSync(program, 0o755);
    symlinkSync(program, join(folder, name));
  }
  symlinkSync(process.execPath, join(folder, 'node'));
}

/**
 * The program that stands for the user's browser in $BROWSER: hands the URL to the sandbox's Chromium.
 *
 * @returns its path
 */
export function installBrowserOpener(folder: string, socket: string): string {
  const file = join(folder, 'sandbox-browser');
  const opener = resolve(import.meta.dirname, 'open-page.ts');
  writeFileSync(file, `#!/bin/sh\nexec node '${opener}' '${socket}' "$1"\n`, { mode: 0o755 });
  return file;
}
