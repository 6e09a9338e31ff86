import { Problem } from '../../problem/problem.ts';
import { noProfile } from './choose-profile.ts';
import { shellWord } from './command-line.ts';
import type { VouchProfile } from './profiles.ts';

/**
 * Chooses the profile that a command of `vouch` works with: the one that `--profile` names, then the one in AWS_PROFILE, the only one, the
 * default one. It is stricter than Git's helper (choose-profile.ts): an AWS_PROFILE that is none of Vouch's is not passed over, because the
 * person has chosen another account for all commands, and ours may change things there.
 *
 * @param profiles Vouch's profiles
 * @param named the value of `--profile`
 * @param env where AWS_PROFILE is looked up
 * @throws Problem `no-profile`, `unknown-profile`, `several-profiles`
 */
export function profileOfCommand(
  profiles: readonly VouchProfile[],
  named: string | undefined,
  env: NodeJS.ProcessEnv,
): VouchProfile {
  const [first] = profiles;
  if (first === undefined) throw noProfile();
  const wanted = named ?? (env.AWS_PROFILE || undefined);
  const list = `Vouch's profiles are: ${profiles.map(({ name, role }) => `${name} (${role.arn})`).join(', ')}.`;
  if (wanted !== undefined) {
    const found = profiles.find(({ name }) => name === wanted);
    if (found) return found;
    throw new Problem({
      kind: 'unknown-profile',
      what: `Vouch has no AWS profile "${wanted}"${named === undefined ? ', which AWS_PROFILE names' : ''}.`,
      why: list,
      fix: `Name one of them with \`--profile\`, or run \`vouch setup aws --profile ${shellWord(wanted)}\`.`,
    });
  }
  const defaults = profiles.filter(({ isDefault }) => isDefault);
  const [only = first] = defaults;
  if (defaults.length === 1 || profiles.length === 1) return only;
  throw new Problem({
    kind: 'several-profiles',
    what: 'Several AWS profiles could be meant.',
    why: list,
    fix: `Name one: with \`--profile ${shellWord(first.name)}\`, or with AWS_PROFILE=${shellWord(first.name)}.`,
  });
}
