import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };

const root = resolve(import.meta.dirname, '../..');

/**
 * Installs our programs as `npm install --global` would: it copies the package, and links its programs and the Node that runs
 * this into a folder for PATH. It copies because the next build must not disturb a running sandbox.
 *
 * @param folder for the copy and the links
 * @returns the folder for PATH
 */
export function installPrograms(folder: string): string {
  const bin = join(folder, 'bin');
  const copy = join(folder, 'package');
  mkdirSync(bin, { recursive: true });
  for (const part of ['dist', 'cli/git-credential-vouch/git-credential-vouch', 'cli/prompt', 'package.json']) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const [name, file] of Object.entries(manifest.bin)) {
    // Like npm; the build does not make them executable.
    chmodSync(join(copy, file), 0o755);
    symlinkSync(join(copy, file), join(bin, name));
  }
  symlinkSync(process.execPath, join(bin, 'node'));
  return bin;
}

/**
 * Writes the program for $BROWSER, which hands a URL to the sandbox's Chromium.
 *
 * @returns its path
 */
export function installBrowserOpener(folder: string, socket: string): string {
  const file = join(folder, 'sandbox-browser');
  const opener = resolve(import.meta.dirname, 'open-page.ts');
  writeFileSync(file, `#!/bin/sh\nexec node '${opener}' '${socket}' "$1"\n`, { mode: 0o755 });
  return file;
}
