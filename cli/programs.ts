import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import manifest from '../package.json' with { type: 'json' };

/** Vouch's version, as package.json has it. */
export const version: string = manifest.version;

/** Our programs that other programs of ours start, by bundle name, with their sources. */
const sources = {
  agent: 'agent/main.ts',
  'git-credential-vouch': 'git/helper.ts',
  'git-remote-codecommit': 'git/remote/main.ts',
} as const;

/**
 * The file of a sibling program, to be run by this same Node (`process.execPath`).
 *
 * @param name the program
 * @returns its bundle beside ours when we run from a bundle, its source when we run from the source tree
 */
export function programFile(name: keyof typeof sources): string {
  const here = import.meta.dirname;
  if (import.meta.filename.endsWith('.ts')) return join(here, sources[name]);
  // Code that bundles share lies in a folder below theirs.
  const folder = [here, dirname(here)].find((candidate) => existsSync(join(candidate, `${name}.js`))) ?? here;
  return join(folder, `${name}.js`);
}

/** Git's credential helper: the script, as an absolute path. */
export function credentialHelperScript(): string {
  const folder = dirname(programFile('git-credential-vouch'));
  const fromSource = import.meta.filename.endsWith('.ts');
  return join(folder, fromSource ? 'git-credential-vouch' : '../../cli/git/git-credential-vouch');
}
