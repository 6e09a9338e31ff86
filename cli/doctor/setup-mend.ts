import { git } from '../git/config.ts';
import type { Mend, Visit } from './check.ts';

export function useAbsolutePath(_visit: Visit): Mend | undefined {
  return undefined;
}
export function setUp(_visit: Visit, _scope?: string): Mend | undefined {
  return undefined;
}

/** Lets Git follow codecommit:// addresses in submodules. */
export function allowCodeCommit({ env, cwd }: Visit): Mend {
  const args = ['config', '--global', 'protocol.codecommit.allow', 'always'];
  return {
    name: 'allow-codecommit',
    preview: async () => [`git ${args.join(' ')}`],
    apply: async () => {
      await git(args, env, { cwd });
    },
  };
}
