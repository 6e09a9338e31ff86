import type { ProfileRequest } from '../aws/config/choose-profile.ts';
import { Problem } from '../problem/problem.ts';
import { repositoryUrl } from './endpoint.ts';
import { regionOf } from './region.ts';
import type { RemoteUrl } from './url.ts';

/** Where a remote's repository is, and which profile Git's configuration names for it. */
export interface RepositoryLocation {
  /** The HTTPS URL. */
  url: string;
  /** The AWS profile that Git's configuration names for Vouch's helper there (`vouch setup codecommit --profile`). */
  configuredProfile: string | undefined;
}

/**
 * Finds a remote's repository. When the URL names neither region nor profile, the region is that of the profile that will be used.
 * Git's configuration may name that profile for the repository's URL, but the URL depends on the region. So the result is checked
 * with the URL that it leads to.
 *
 * @throws Problem as `regionOf` and `repositoryUrl`; `unclear-region` when region and profile contradict each other
 */
export async function locate(remote: RemoteUrl, env: NodeJS.ProcessEnv): Promise<RepositoryLocation> {
  const urlFor = async (wanted: ProfileRequest) =>
    repositoryUrl(await regionOf(remote, wanted, env), remote.repository, env);
  let url = await urlFor({});
  if (remote.profile !== undefined) return { url, configuredProfile: undefined };
  const wanted = await configured(url, env);
  if (remote.region === undefined && (wanted.username || wanted.profile)) {
    const first = url;
    url = await urlFor(wanted);
    const there = url === first ? wanted : await configured(url, env);
    if (there.username !== wanted.username || there.profile !== wanted.profile) {
      throw new Problem({
        kind: 'unclear-region',
        what: `The AWS Region of the repository ${remote.repository} is not clear.`,
        why: `Git's configuration names different AWS profiles for ${first} and ${url}.`,
        fix: `Name the region or the profile: codecommit::us-east-1://${remote.repository} or codecommit://profile@${remote.repository}.`,
      });
    }
  }
  return { url, configuredProfile: wanted.profile };
}

/** The profile that Git's configuration names for a URL, as Git will send it to the helper. */
async function configured(url: string, env: NodeJS.ProcessEnv): Promise<ProfileRequest> {
  const { credentialConfig } = await import('../git/effective-config.ts');
  const { username, helpers } = await credentialConfig(url, env);
  const profile = helpers.find(({ vouch }) => vouch !== undefined)?.vouch?.profile;
  return { username: username?.value, profile };
}
