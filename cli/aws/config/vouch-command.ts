import { basename } from 'node:path';
import { findOnPath } from '../../files/on-path.ts';
import { Problem } from '../../problem/problem.ts';
import { nodeOptions } from '../../programs.ts';

/**
 * The beginning of a `credential_process`: how AWS's tools start `vouch`.
 *
 * @param absolute whether to write full paths for both `vouch` and Node, because a PATH that lacks one often lacks both
 * @throws Problem `vouch-path` when `vouch` has no path that AWS's tools could read
 */
export function vouchCommand(absolute: boolean, env: NodeJS.ProcessEnv): string {
  if (!absolute) return 'vouch';
  const run = process.argv[1] ?? '';
  const file = basename(run) === 'vouch' ? run : findOnPath('vouch', env)[0];
  if (file === undefined) throw unnameable('It is not on your PATH.');
  const words = [process.execPath, ...nodeOptions, file];
  // Some AWS tools pass the line to a shell, which would replace $ and `.
  const unfit = words.find((word) => /["\\$`\p{Cc}]/u.test(word));
  if (unfit !== undefined) throw unnameable(`AWS's tools could not read this path: ${unfit}`);
  return words.map((word) => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `"${word}"`)).join(' ');
}

function unnameable(why: string): Problem {
  return new Problem({
    kind: 'vouch-path',
    what: 'Vouch cannot be named by its path.',
    why,
    fix: 'Install it elsewhere, or leave --absolute out.',
  });
}
