import { findOnPath } from '../../files/on-path.ts';
import { checkGit } from '../../git/git.ts';
import { noGit } from '../../git/required-git.ts';
import type { Check } from '../check.ts';
import { shortPath } from '../short-path.ts';

/** Git is there, and new enough for Vouch. */
export const git: Check = {
  id: 'git',
  title: 'Git',
  needs: () => [],
  run: async ({ env, facts }) => {
    // The Problems `no-git` and `old-git` need no finding of their own.
    facts.gitVersion = await checkGit(env);
    const [first] = findOnPath('git', env);
    if (first === undefined) throw noGit();
    return { says: `${facts.gitVersion.text} (${shortPath(first, env)})`, data: { version: facts.gitVersion.text } };
  },
};
