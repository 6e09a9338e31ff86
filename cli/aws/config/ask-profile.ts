import type { Note } from '../../problem/note.ts';
import type { Ask } from '../../terminal/dialog.ts';
import { parseRoleArn } from '../role-arn.ts';
import { wrongProfileName, wrongRegion, wrongRole } from './profile-checks.ts';

/** What a profile is made of; what is undefined is not known yet. */
export interface ProfileParts {
  role: string | undefined;
  profile: string | undefined;
  region: string | undefined;
}

/**
 * Asks for what is not known of a new profile.
 *
 * @param known is not asked for
 * @param usualRegions what the person's environment says, the best one first
 * @param taken says why a name cannot be given to a profile for this role, if it cannot
 */
export async function askForProfile(
  ask: Ask,
  known: ProfileParts,
  usualRegions: readonly (string | undefined)[],
  taken: (name: string, role: string) => Note | undefined,
): Promise<{ role: string; profile: string; region: string | undefined }> {
  const role =
    known.role ??
    (await ask({
      text: 'ARN of the AWS role, such as arn:aws:iam::123456789012:role/VouchDeveloper\n  (who runs your AWS account knows it)',
      check: wrongRole,
    }));
  const nameIsWrong = (name: string) => wrongProfileName(name) ?? taken(name, role);
  const profile =
    known.profile ??
    (await ask({
      text: 'Name of the profile',
      byDefault: nameIsWrong('vouch') === undefined ? 'vouch' : undefined,
      check: nameIsWrong,
    }));
  const usual = usualRegions.find((region) => region !== undefined && !wrongRegion(region, role));
  const region =
    known.region ??
    (await ask({
      text:
        usual === undefined
          ? `Region, such as ${parseRoleArn(role)?.partition.defaultRegion} (may be empty)`
          : 'Region',
      byDefault: usual,
      check: (answer) => (answer === '' ? undefined : wrongRegion(answer, role)),
    }));
  return { role, profile, region: region === '' ? undefined : region };
}
