import { chooseProfile, type ProfileRequest } from '../aws/config/choose-profile.ts';
import { shellWord } from '../aws/config/command-line.ts';
import { type VouchProfile, vouchProfiles } from '../aws/config/profiles.ts';
import { profileSettings } from '../aws/config/read.ts';
import { awsConfigFile } from '../paths.ts';
import { Problem } from '../problem/problem.ts';

/** What a `codecommit://` URL needs from AWS's config file. Loaded only when needed. */

/**
 * The profile that a URL names.
 *
 * @throws Problem `unknown-profile` when Vouch has no such profile
 */
export async function namedProfile(name: string, env: NodeJS.ProcessEnv): Promise<VouchProfile> {
  const profiles = await vouchProfiles(env);
  const named = profiles.find((profile) => profile.name === name);
  if (named) return named;
  const available = profiles.map((profile) => `${profile.name} (${profile.role.arn})`).join(', ');
  throw new Problem({
    kind: 'unknown-profile',
    what: `The following profile was not found: ${name}.`,
    why: available
      ? `Available profiles are: ${available}. Others do not get their credentials from Vouch.`
      : 'No AWS profile gets its credentials from Vouch yet.',
    fix: `${available ? 'Either use one of the available profiles, or run' : 'Run'} \`vouch setup aws --profile ${shellWord(name)}\`, then try again.`,
  });
}

/**
 * The profile that the credential helper will use when the URL names none. Undefined when the helper will refuse: then the helper
 * prints the reason, once the region is known.
 */
export async function servingProfile(
  wanted: ProfileRequest,
  env: NodeJS.ProcessEnv,
): Promise<VouchProfile | undefined> {
  const profiles = await vouchProfiles(env);
  try {
    return chooseProfile(profiles, { ...wanted, awsProfile: env.AWS_PROFILE });
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

/** The region of the profile `default`, wherever that gets its credentials. */
export async function defaultRegion(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return profileSettings(awsConfigFile(env)).get('default')?.region;
}
