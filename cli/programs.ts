import { join } from 'node:path';
import manifest from '../package.json' with { type: 'json' };

/** Vouch's version, as package.json has it. */
export const version: string = manifest.version;

/** Our programs that other programs of ours start, with their sources. */
const sources = {
  agent: 'agent/main.ts',
  'git-credential-vouch': 'git-credential-vouch/main.ts',
  'git-remote-codecommit': 'git-remote-codecommit/main.ts',
} as const;

/** What Node is started with where a program of ours is named by its file: see program-start.sh, which says why. */
export const nodeOptions = ['--disable-sigusr1', '--no-concurrent-recompilation', '--no-concurrent-sparkplug'] as const;

/** Whether we run from the source tree, and not from what was built. */
const fromSource = import.meta.filename.endsWith('.ts');

/**
 * The file of a sibling program, to be run by this same Node (`process.execPath`).
 *
 * @param name the program
 * @returns its bundle when we run from one, its source when we run from the source tree
 */
export function programFile(name: keyof typeof sources): string {
  const here = import.meta.dirname;
  // Every program is built into a folder of its own.
  return fromSource ? join(here, sources[name]) : join(here, '..', name, 'main.cjs');
}

/** Git's credential helper: the script, as an absolute path. */
export function credentialHelperScript(): string {
  return join(import.meta.dirname, fromSource ? '.' : '../../../cli', 'git-credential-vouch/git-credential-vouch');
}

/** A file of shell code for prompts, which is in the package as it is in the source tree. */
export function promptFile(name: string): string {
  return join(import.meta.dirname, fromSource ? 'prompt' : '../../../cli/prompt', name);
}
