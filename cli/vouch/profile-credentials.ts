import { profileCredentials } from '../agent/client/requests.ts';
import type { CredentialsAnswer } from '../agent/protocol/messages.ts';
import { profileOfCommand } from '../aws/config/profile-of-command.ts';
import { type VouchProfile, vouchProfiles } from '../aws/config/profiles.ts';
import { Problem } from '../problem/problem.ts';

/** Options of commands that hand AWS credentials over. */
export interface ProfileOptions {
  /** The name of the profile; by default as profileOfCommand chooses. */
  profile?: string;
  /** The region to work in. */
  region?: string;
}

export interface ChosenCredentials {
  profile: VouchProfile;
  /** The region to work in, if one is named anywhere. */
  region: string | undefined;
  credentials: CredentialsAnswer;
}

/**
 * AWS credentials for the profile that a command works with, and the region to work in: `--region`, the caller's AWS_REGION or
 * AWS_DEFAULT_REGION (as for AWS's tools, if the region is in the role's partition), or the profile's.
 *
 * @throws Problem `partition` when `--region` is of another partition; as vouchProfiles, profileOfCommand and askAgent
 */
export async function chosenCredentials(
  { profile: named, region: wanted }: ProfileOptions,
  env: NodeJS.ProcessEnv,
): Promise<ChosenCredentials> {
  const profile = profileOfCommand(await vouchProfiles(env), named, env);
  const { partition } = profile.role;
  if (wanted !== undefined && !partition.region.test(wanted)) {
    throw new Problem({
      kind: 'partition',
      what: `${wanted} is no region for the role ${profile.role.arn}.`,
      why: `Regions of its partition look like ${partition.defaultRegion}.`,
      category: 'usage',
    });
  }
  const places = [env.AWS_REGION, env.AWS_DEFAULT_REGION, profile.region];
  const region = wanted ?? places.find((name) => name !== undefined && partition.region.test(name));
  return { profile, region, credentials: await longEnough(profile.name, { ...(region && { region }) }, env) };
}

/** Nobody renews what is handed over, so it should last at least this long, in milliseconds. The agent's may have a few minutes left. */
const enough = 20 * 60_000;

async function longEnough(name: string, options: { region?: string }, env: NodeJS.ProcessEnv) {
  const held = await profileCredentials(name, options, env);
  if (Date.parse(held.expiration) - Date.now() >= enough) return held;
  try {
    return await profileCredentials(name, { ...options, fresh: true }, env);
  } catch {
    // They are still good. Why there are no new ones, the next command says.
    return held;
  }
}

/** A role as a person knows it: VouchDeveloper in 123456789012. */
export function roleWords({ role }: VouchProfile): string {
  return `${role.name} in ${role.account}`;
}
