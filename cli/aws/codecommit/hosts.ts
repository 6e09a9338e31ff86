import { type Partition, partitionOf, partitions } from '../partitions.ts';

/** The name of CodeCommit in its hosts. The second is for FIPS 140 endpoints. */
const services = ['git-codecommit', 'git-codecommit-fips'] as const;

/** A repository's host, taken apart. */
export interface CodeCommitHost {
  /** Case unchanged and no port: exactly what Git sends as Host, and what AWS's helper signs. SigV4 takes the value as it is. */
  host: string;
  region: string;
  partition: Partition;
}

/**
 * Recognises CodeCommit's hosts: public, FIPS, GovCloud, China, the European Sovereign Cloud, and PrivateLink
 * (`<vpce-id>.git-codecommit.<region>.vpce.<suffix>`, whose first part may hold dots). The whole name must match, and region and
 * suffix must be of one partition.
 *
 * @param value the `host` of Git's request, with its port if it has one
 * @returns undefined when the host is not CodeCommit's
 */
export function codeCommitHost(value: string): CodeCommitHost | undefined {
  const [, host, port] = /^([A-Za-z0-9.-]{1,253})(?::(\d{1,5}))?$/.exec(value) ?? [];
  if (host === undefined || (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))) return undefined;
  const match =
    /^(?<vpce>vpce-[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.)?git-codecommit(?<fips>-fips)?\.(?<region>[a-z0-9-]+)\.(?<infix>vpce\.)?(?<suffix>[a-z.]+)$/.exec(
      host.toLowerCase(),
    );
  if (match?.groups === undefined) return undefined;
  const { vpce, fips, region = '', infix, suffix } = match.groups;
  // PrivateLink's names have both of its marks, other names have neither, and no label is empty.
  if ((vpce === undefined) !== (infix === undefined) || vpce?.includes('..')) return undefined;
  const partition = partitions.find((known) => known.suffix === suffix && known.region.test(region));
  if (partition === undefined || (fips !== undefined && !partition.fips)) return undefined;
  return { host, region, partition };
}

/** A pattern for Git's configuration that covers one family of CodeCommit's hosts. */
export interface GitUrlPattern {
  /** As in `credential.<pattern>.helper`; a `*` stands for one whole label of the host (git-config(1), `http.<url>.*`). */
  pattern: string;
  /** The partitions whose repositories have such URLs. */
  partitions: Partition['id'][];
}

/** The patterns for all of CodeCommit's hosts, public ones first. PrivateLink's are covered if their first part has no dot. */
export function gitUrlPatterns(): GitUrlPattern[] {
  const patterns = new Map<string, Partition['id'][]>();
  for (const [before, after] of [
    ['', ''],
    ['*.', 'vpce.'],
  ]) {
    for (const { id, suffix, fips } of partitions) {
      for (const service of services.slice(0, fips ? 2 : 1)) {
        const pattern = `https://${before}${service}.*.${after}${suffix}`;
        patterns.set(pattern, [...(patterns.get(pattern) ?? []), id]);
      }
    }
  }
  return [...patterns].map(([pattern, ids]) => ({ pattern, partitions: ids }));
}

/**
 * The HTTPS address of a repository at its region's public host.
 *
 * @param repository the repository's name; percent-encoded here if a URL's path needs that
 * @returns undefined when no partition has such a region, or when it has no FIPS endpoint and one is wanted
 */
export function codeCommitUrl(
  region: string,
  repository: string,
  { fips = false }: { fips?: boolean } = {},
): string | undefined {
  const partition = partitionOf(region);
  if (partition === undefined || (fips && !partition.fips)) return undefined;
  const service = services[fips ? 1 : 0];
  return `https://${service}.${region}.${partition.suffix}/v1/repos/${encodeURIComponent(repository.toWellFormed())}`;
}
