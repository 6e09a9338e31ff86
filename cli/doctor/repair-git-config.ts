import { type SetUpOptions, setUpCodeCommit } from '../git/setup/set-up-codecommit.ts';
import { shownLine } from '../terminal/line-diff.ts';
import type { Visit } from './check.ts';
import type { Repair } from './repair.ts';

/** `vouch setup codecommit` as a repair. */
export function repairGitConfig(
  { env, cwd }: Visit,
  options: Pick<SetUpOptions, 'scope' | 'url' | 'user' | 'absolute'> = {},
): Repair {
  const { scope = 'global', url, user, absolute = false } = options;
  return {
    name: `setup ${scope} ${url} ${user} ${absolute}`,
    preview: async () => {
      const { file, diff } = await setUpCodeCommit({ ...options, dryRun: true }, env, cwd);
      return [`${file}:`, ...diff.map(shownLine)];
    },
    apply: async () => {
      await setUpCodeCommit(options, env, cwd);
    },
  };
}
