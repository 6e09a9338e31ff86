import { shellWord } from '../aws/config/command-line.ts';
import { chooseProfile, type VouchProfile, vouchProfiles, type Wanted } from '../aws/config/profiles.ts';
import { profileSettings } from '../aws/config/read.ts';
import { awsConfigFile } from '../paths.ts';
import { Problem } from '../problem/problem.ts';

/** What a `codecommit://` URL needs from the AWS config; a module of its own, so that it is only loaded when needed. */

/**
 * The profile that a URL names.
 *
 * @throws Problem `unknown-profile` when it is none of Vouch's
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
 * The profile that the credential helper will take where the URL names none, or undefined when it will refuse: it then says
 * why, once the region is known.
 */
export async function servingProfile(wanted: Wanted, env: NodeJS.ProcessEnv): Promise<VouchProfile | undefined> {
  const profiles = await vouchProfiles(env);
  try {
    return chooseProfile(profiles, { ...wanted, awsProfile: env.AWS_PROFILE });
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

/** The region of the profile `default`, whoever gives its credentials. */
export async function defaultRegion(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return profileSettings(awsConfigFile(env)).get('default')?.region;
}
