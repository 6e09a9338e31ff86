import { dirname } from 'node:path';
import { findOnPath } from '../../files/on-path.ts';
import { packageOf } from '../../files/package-of.ts';
import type { Check, Finding, Visit } from '../check.ts';
import { shortPath } from '../short-path.ts';

const program = 'git-remote-codecommit';

/** The program that Git starts for codecommit:// addresses is ours, and not that of AWS, which does not ask Vouch. */
export const remoteHelper: Check = {
  id: 'remote-helper',
  title: 'codecommit://',
  needs: () => ['git'],
  run: async (visit) => {
    const files = findOnPath(program, visit.env);
    const [first] = files;
    const ours = files.find((file) => packageOf(file)?.name === 'vouch');
    const data = { file: first ?? null, ours: ours ?? null };
    if (first !== undefined && first === ours) return { says: shortPath(first, visit.env), data };
    const finding = first === undefined ? missing(visit) : another(first, ours, visit);
    return { says: first === undefined ? 'not on your PATH' : shortPath(first, visit.env), findings: [finding], data };
  },
};

/** The helper is needed only for codecommit:// addresses. */
const severity = ({ target }: Visit) => (target?.scheme === 'codecommit' ? 'trouble' : 'warning');

function missing(visit: Visit): Finding {
  return {
    id: 'remote-helper.not-on-path',
    severity: severity(visit),
    what: `\`${program}\` is not on your PATH: codecommit:// addresses do not work.`,
    why: ['npm puts it into the same folder as `vouch`.'],
    steps: ['Add that folder to your PATH (`npm prefix --global` names its parent), or use https:// addresses.'],
  };
}

function another(first: string, ours: string | undefined, visit: Visit): Finding {
  const place = shortPath(first, visit.env);
  const remove = `remove the other one (\`pip uninstall ${program}\`, if it came from pip)`;
  return {
    id: 'remote-helper.another-first',
    severity: severity(visit),
    what: `Another ${program} ${ours === undefined ? 'is' : 'comes first'} on your PATH: ${place}`,
    why: [
      'Git starts it for codecommit:// addresses, and it does not ask Vouch.',
      ...(ours === undefined
        ? ["Vouch's own is not on your PATH."]
        : [`Vouch's own is ${shortPath(ours, visit.env)}.`]),
    ],
    steps: [
      ours === undefined
        ? `Put the folder of \`vouch\` before ${shortPath(dirname(first), visit.env)} on your PATH, or ${remove}.`
        : `Put ${shortPath(dirname(ours), visit.env)} before ${shortPath(dirname(first), visit.env)} on your PATH, or ${remove}.`,
    ],
  };
}
