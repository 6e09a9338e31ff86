import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import manifest from '../../../package.json' with { type: 'json' };
import { findOnPath } from '../../on-path.ts';

/** Where Vouch's own programs are, and whether those that Git would start are Vouch's. */

/** The absolute path of Git's helper in this installation of Vouch. */
export function helperProgram(): string {
  return join(packageFolder(import.meta.filename) ?? '', manifest.bin['git-credential-vouch']);
}

/** The `git-remote-codecommit` that Git would start, and whether it is Vouch's. */
export function remoteHelper(env: NodeJS.ProcessEnv): { file: string; isOurs: boolean } | undefined {
  const [file] = findOnPath('git-remote-codecommit', env);
  return file === undefined ? undefined : { file, isOurs: isOurs(file) };
}

/** Whether a program belongs to an installation of Vouch: npm puts a link to it on the PATH. */
function isOurs(file: string): boolean {
  try {
    return packageFolder(realpathSync(file)) !== undefined;
  } catch {
    return false;
  }
}

/** The folder of the package of Vouch's that a file is in. */
function packageFolder(file: string): string | undefined {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const found = join(folder, 'package.json');
    if (existsSync(found)) return nameIn(found) === manifest.name ? folder : undefined;
    if (folder === dirname(folder)) return undefined;
  }
}

function nameIn(file: string): unknown {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }).name;
  } catch {
    return undefined;
  }
}
