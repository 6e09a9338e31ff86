import type { Note } from '../../problem/note.ts';
import type { Ask } from '../../terminal/dialog.ts';
import { parseRoleArn } from '../role-arn.ts';
import { wrongProfileName, wrongRegion, wrongRole } from './profile-checks.ts';

/** The parts of a profile. Those that are not known yet are undefined. */
export interface ProfileParts {
  role: string | undefined;
  profile: string | undefined;
  region: string | undefined;
}

/**
 * Asks for the parts of a new profile that are not known.
 *
 * @param usualRegions regions to offer, as the person's environment has them; the best one first
 * @param taken returns why a profile for this role cannot have a name; undefined when it can
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
      text: 'ARN of the AWS role, such as arn:aws:iam::123456789012:role/VouchDeveloper\n  (your AWS administrator knows it)',
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
