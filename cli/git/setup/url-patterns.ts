import { codeCommitHost, type GitUrlPattern, gitUrlPatterns } from '../../aws/codecommit/hosts.ts';
import type { VouchProfile } from '../../aws/config/profiles.ts';
import { looksLikeRegion, partitionOf } from '../../aws/partitions.ts';
import { Problem } from '../../problem/problem.ts';

export interface Narrowing {
  region?: string | undefined;
  url?: string | undefined;
  profile?: VouchProfile | undefined;
}

/**
 * The patterns that a setup writes: for one URL, or for each family of CodeCommit's hosts. A region narrows them, and so does the
 * partition of a profile's role.
 *
 * @throws Problem `usage`
 */
export function urlPatterns({ region, url, profile }: Narrowing): GitUrlPattern[] {
  const partition = profile?.role.partition;
  if (url !== undefined) {
    if (region !== undefined) throw usage('--url and --region cannot be used together.', 'The URL names the region.');
    const one = oneUrl(url);
    if (partition && !one.partitions.includes(partition.id)) throw wrongPartition(profile, url, one.partitions);
    return [one];
  }
  let families = gitUrlPatterns();
  if (region !== undefined) {
    const its = looksLikeRegion(region) ? partitionOf(region) : undefined;
    if (its === undefined) throw usage(`This is not the name of a region: ${region}`, 'It looks like us-east-1.');
    if (partition && partition.id !== its.id) throw wrongPartition(profile, region, [its.id]);
    families = families
      .filter((family) => family.partitions.includes(its.id))
      // The last asterisk stands for the region.
      .map((family) => ({ pattern: family.pattern.replace(/\*(?!.*\*)/, region), partitions: [its.id] }));
  }
  return partition ? families.filter((family) => family.partitions.includes(partition.id)) : families;
}

function oneUrl(url: string): GitUrlPattern {
  const example = 'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/payments';
  const [, authority = '', path = ''] =
    /^https:\/\/([^/?#]*)(\/v1\/repos\/[A-Za-z0-9._-]{1,100})?\/?$/i.exec(url) ?? [];
  if (authority.includes('@')) {
    throw usage(
      `${url} has a user name in it.`,
      'A section is for every user name.',
      'Leave it out, and name a profile with --profile.',
    );
  }
  const host = codeCommitHost(authority);
  if (host === undefined || !looksLikeRegion(host.region)) {
    throw usage(
      `This is not the URL of a repository on CodeCommit, nor of one of its hosts: ${url}`,
      `It looks like ${example}.`,
    );
  }
  return { pattern: `https://${authority.toLowerCase()}${path}`, partitions: [host.partition.id] };
}

function wrongPartition(profile: VouchProfile | undefined, where: string, its: readonly string[]): Problem {
  return usage(
    `The profile ${profile?.name} cannot be used for ${where}.`,
    `Its role ${profile?.role.arn} is in the partition ${profile?.role.partition.id}, and that is in ${its.join(', ')}.`,
    'Name another profile.',
  );
}

function usage(what: string, why: string, fix = ''): Problem {
  return new Problem({ kind: 'usage', what, why, fix });
}
