import { findOnPath } from '../../files/on-path.ts';
import { ourPackage, packageOf } from '../../files/package-of.ts';
import { version } from '../../programs.ts';
import type { Check, Finding } from '../check.ts';
import { shortPath } from '../short-path.ts';

/** AWS's tools start `vouch` by its name, so this `vouch` must be the first on the PATH. */
export const vouch: Check = {
  id: 'vouch',
  title: 'Vouch',
  needs: () => [],
  run: async ({ env }) => {
    const [first] = findOnPath('vouch', env);
    const findings: Finding[] = [];
    if (first === undefined) {
      findings.push({
        id: 'vouch.not-on-path',
        severity: 'warning',
        what: '`vouch` is not on your PATH.',
        why: ["AWS's tools start it by that name (credential_process in your AWS config)."],
        steps: ["Add npm's global `bin` folder to your PATH (`npm prefix --global` names its parent)."],
      });
    } else {
      const found = packageOf(first);
      const ours = ourPackage();
      if (found?.folder !== ours?.folder) {
        findings.push({
          id: 'vouch.another-first',
          severity: 'warning',
          what: `Another \`vouch\` comes first on your PATH: ${shortPath(first, env)} (${found?.version ?? 'in no package'}).`,
          why: [`This one is ${version}${ours ? `, in ${shortPath(ours.folder, env)}` : ''}.`],
          steps: ['Remove one of them, so that what you call and what AWS’s tools call are the same.'],
        });
      }
    }
    const place = first === undefined ? '' : ` (${shortPath(first, env)})`;
    return {
      says: `${version}${findings.length > 0 ? '' : place}`,
      findings,
      data: { version, onPath: first ?? null },
    };
  },
};
