import { Problem } from '../problem/problem.ts';

/** The oldest Git that Vouch works with. Older ones lack GIT_CONFIG_COUNT and `git rev-parse --path-format`. */
export const oldestGit = [2, 31] as const;

/** The Problem `no-git`. */
export function noGit(): Problem {
  return new Problem({
    kind: 'no-git',
    what: 'Git is not on your PATH.',
    fix: `Install Git ${oldestGit.join('.')} or newer, then try again.`,
  });
}
