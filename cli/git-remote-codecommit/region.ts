import type { ProfileRequest } from '../aws/config/choose-profile.ts';
import type { VouchProfile } from '../aws/config/profiles.ts';
import { isRegion } from '../aws/partitions.ts';
import { Problem } from '../problem/problem.ts';
import { endpointOf } from './endpoint.ts';
import { type RemoteUrl, unknownRegion } from './url.ts';

/**
 * The region of a remote's repository, from the first of these that names a region: the URL, the repository's profile, AWS_REGION,
 * AWS_DEFAULT_REGION, the profile `default`, the host in CODE_COMMIT_ENDPOINT. It is never guessed: a repository of the same name in
 * another region is another repository.
 *
 * AWS's config file is read only if it matters: reading it takes most of the start.
 *
 * @param wanted the profile that Git's configuration names, if the URL names none
 * @throws Problem `unknown-profile` when the URL names a profile that is not Vouch's; `no-region`, `unknown-region`
 */
export async function regionOf(remote: RemoteUrl, wanted: ProfileRequest, env: NodeJS.ProcessEnv): Promise<string> {
  if (remote.region !== undefined && remote.profile === undefined) return remote.region;
  const aws = await import('./aws-config.ts');
  const named = remote.profile === undefined ? undefined : await aws.namedProfile(remote.profile, env);
  if (remote.region !== undefined) return remote.region;

  const profile = named ?? (await aws.servingProfile(wanted, env));
  const usual = aws.defaultRegion;
  const sources: [name: string, find: () => string | undefined | Promise<string | undefined>][] = [
    [`The AWS profile ${profile?.name}`, () => profile?.region],
    ['AWS_REGION', () => env.AWS_REGION],
    ['AWS_DEFAULT_REGION', () => env.AWS_DEFAULT_REGION],
    ['The AWS profile default', () => usual(env)],
    ['CODE_COMMIT_ENDPOINT', () => endpointOf(env)?.region],
  ];
  for (const [source, find] of sources) {
    const region = await find();
    if (!region) continue;
    if (isRegion(region)) return region;
    throw unknownRegion(region, source);
  }
  throw noRegion(remote, profile);
}

function noRegion({ profile: asked, repository }: RemoteUrl, profile: VouchProfile | undefined): Problem {
  const user = asked === undefined ? '' : `${asked}@`;
  const one = `The following profile does not have an AWS Region: ${profile?.name}.`;
  return new Problem({
    kind: 'no-region',
    what: profile ? one : `The AWS Region of the repository ${repository} is not known.`,
    why: `The URL names no region, ${profile ? '' : 'no single AWS profile decides it, '}AWS_REGION and AWS_DEFAULT_REGION are not set, and your default profile has none.`,
    fix: `Name it in the URL, as in codecommit::us-east-1://${user}${repository}, or give the profile a line like \`region = us-east-1\`.`,
  });
}
