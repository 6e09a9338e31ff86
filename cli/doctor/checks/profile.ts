import { checkPartition } from '../../aws/codecommit/check-partition.ts';
import { chooseProfile, type ProfileRequest } from '../../aws/config/choose-profile.ts';
import { type VouchProfile, vouchProfiles } from '../../aws/config/profiles.ts';
import { awsConfigFile } from '../../paths.ts';
import { Problem } from '../../problem/problem.ts';
import type { Check, Outcome, Visit } from '../check.ts';
import { credentialSettings, placeOf } from '../credential-settings.ts';
import { shortPath } from '../short-path.ts';

/** Finds the AWS profile for the repository, and so the role, and reports why Vouch chose that profile. */
export const profile: Check = {
  id: 'profile',
  title: 'AWS profile',
  needs: () => [],
  run: async (visit) => {
    const { facts, env, target } = visit;
    const profiles = await vouchProfiles(env);
    facts.profiles = profiles;
    const { wanted, because } = await whatIsWanted(visit);
    let chosen: VouchProfile;
    try {
      chosen = chooseProfile(profiles, wanted);
    } catch (error) {
      // Without a repository, having several profiles is not a fault.
      const several = error instanceof Problem && error.kind === 'several-profiles' && target === undefined;
      if (!several) throw error;
      return list(profiles, visit);
    }
    facts.profile = chosen;
    // Refuses before any request is sent.
    if (target) checkPartition(chosen, target.host);
    const reason = reasonFor(
      chosen,
      profiles,
      env.AWS_PROFILE === chosen.name ? because : { ...because, awsProfile: undefined },
    );
    const through = chosen.source ? [`through profile ${chosen.source.name}: ${chosen.source.role.arn}`] : [];
    return {
      says: `${chosen.name}, ${reason}`,
      details: [chosen.role.arn, ...through],
      data: { name: chosen.name, role: chosen.role.arn, region: chosen.region ?? null, because: reason },
    };
  },
};

/** What could name a profile, and how to call each source. */
async function whatIsWanted(
  visit: Visit,
): Promise<{ wanted: ProfileRequest; because: Partial<Record<keyof ProfileRequest, string>> }> {
  const { env, target } = visit;
  const wanted: ProfileRequest = { host: target?.host.host, path: target && new URL(target.https).pathname.slice(1) };
  const because: Partial<Record<keyof ProfileRequest, string>> = {};
  // If there is no Git, another check reports that.
  const credentials = await credentialSettings(visit).catch(() => undefined);
  const inUrl = target?.profile;
  if (inUrl !== undefined) {
    wanted.username = inUrl;
    because.username = 'named in the URL';
  } else if (credentials?.username && target?.scheme !== 'codecommit') {
    wanted.username = credentials.username.value;
    because.username = `named by credential.username in ${shortPath(placeOf(credentials.username.origin), env)}`;
  }
  const ours = credentials?.helpers.find(({ vouch }) => vouch?.profile !== undefined);
  if (ours?.vouch?.profile) {
    wanted.profile = ours.vouch.profile;
    because.profile = `named by --profile in ${shortPath(placeOf(ours.origin), env)}`;
  }
  if (env.AWS_PROFILE) {
    wanted.awsProfile = env.AWS_PROFILE;
    because.awsProfile = 'named by AWS_PROFILE';
  }
  return { wanted, because };
}

function reasonFor(
  chosen: VouchProfile,
  profiles: readonly VouchProfile[],
  because: Partial<Record<keyof ProfileRequest, string>>,
): string {
  const named = because.username ?? because.profile;
  if (named !== undefined) return named;
  if (profiles.length === 1) return 'the only Vouch profile';
  if (because.awsProfile !== undefined) return because.awsProfile;
  return chosen.isDefault ? 'the default (vouch_default)' : 'the only one of its partition';
}

function list(profiles: readonly VouchProfile[], { env }: Visit): Outcome {
  return {
    says: `${profiles.length} in ${shortPath(awsConfigFile(env), env)}; which one serves depends on the repository`,
    details: profiles.map(({ name, role }) => `${name}: ${role.arn}`),
    data: { profiles: profiles.map(({ name, role }) => ({ name, role: role.arn })) },
  };
}
