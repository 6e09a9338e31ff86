import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { type ProgramName, programs } from '../programs.ts';

/** Vouch's version, from package.json. */
export const version: string = manifest.version;

/** Node's options when our program is started by its file's path; program-start.sh explains them. */
export const nodeOptions = ['--disable-sigusr1', '--no-concurrent-recompilation', '--no-concurrent-sparkplug'] as const;

/** Whether we run from the source tree, not from a bundle. */
const fromSource = import.meta.filename.endsWith('.ts');

/** The package's root: each bundle is in dist/cli/<name>. */
const root = join(import.meta.dirname, fromSource ? '..' : '../../..');

/**
 * The file of a sibling program, to be run by this same Node (`process.execPath`).
 *
 * @returns the program's bundle when we run from a bundle, its source when we run from the source tree
 */
export function programFile(name: ProgramName): string {
  const { source, built } = programs[name];
  return join(root, fromSource ? source : built);
}

/**
 * Whether we run by the Node that our package brings (deploy/release/), and not by one that somebody has installed. Our programs find that
 * Node from their own file, whatever the PATH has.
 */
export function runsByOwnNode(): boolean {
  const own = join(root, 'node/node');
  return existsSync(own) && realpathSync(own) === realpathSync(process.execPath);
}

/** Git's credential helper: the script, as an absolute path. */
export function credentialHelperScript(): string {
  return join(root, programs['git-credential-vouch'].command);
}

/** A file of shell code for prompts. Package and source tree have it at the same place. */
export function promptFile(name: string): string {
  return join(root, 'cli/prompt', name);
}
