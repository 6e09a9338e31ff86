import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * All executable files of this name on the PATH, in its order. A shell or Git would start the first one.
 *
 * @param program a name without a folder
 */
export function findOnPath(program: string, env: NodeJS.ProcessEnv): string[] {
  const files = (env.PATH ?? '').split(delimiter).map((folder) => join(folder || '.', program));
  return [...new Set(files)].filter(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
