import { Problem } from '../../problem/problem.ts';
import { printable } from '../../text/printable.ts';
import { parseRoleArn } from '../role-arn.ts';
import { shellWord } from './command-line.ts';
import type { ProfileSettings } from './edit.ts';
import type { VouchProfile } from './profiles.ts';

export interface ChainedRole {
  /** The ARN of the role. */
  role: string;
  /** The name of the new profile. */
  profile: string;
  /** The name of the profile through which the role is assumed. */
  source: string;
  externalId: string | undefined;
}

/**
 * The settings of a profile whose role is assumed through another profile's role.
 *
 * @param profiles the existing ones
 * @throws Problem `usage` when the role cannot be assumed through that profile
 */
export function chainSettings(
  profiles: readonly VouchProfile[],
  { role, profile, source: name, externalId }: ChainedRole,
): ProfileSettings {
  const source = profiles.find((one) => one.name === name);
  if (source === undefined) {
    throw new Problem({
      kind: 'usage',
      what: `Vouch has no profile "${printable(name, 100)}" to assume a role through.`,
      why: profiles.length === 0 ? '' : `Its profiles are: ${profiles.map((one) => one.name).join(', ')}.`,
      fix: `Set it up first: \`vouch setup aws --profile ${shellWord(printable(name, 100))}\`.`,
    });
  }
  for (let link: VouchProfile | undefined = source; link !== undefined; link = link.source) {
    if (link.name === profile) {
      throw new Problem({
        kind: 'usage',
        what: `The profile "${profile}" cannot be assumed through itself.`,
        fix: 'Choose another --profile.',
      });
    }
  }
  const partition = parseRoleArn(role)?.partition;
  if (partition?.id !== source.role.partition.id) {
    throw new Problem({
      kind: 'usage',
      what: `The role ${role} cannot be assumed through ${source.role.arn}.`,
      why: `One is in the partition ${partition?.id}, the other in ${source.role.partition.id}.`,
    });
  }
  return {
    role_arn: role,
    source_profile: source.name,
    ...(externalId === undefined ? {} : { external_id: externalId }),
  };
}
