/**
 * What is known about AWS's partitions, in one table. No list of regions: a region is recognised by its shape and its
 * partition by the host's suffix, so that a new region works on its first day.
 */
export interface Partition {
  /** As in an ARN: `arn:<id>:iam::…` */
  id: 'aws' | 'aws-us-gov' | 'aws-cn' | 'aws-eusc';
  /** Whether a region's name belongs to this partition. */
  region: RegExp;
  /** The DNS suffix of its services. */
  suffix: string;
  /** The DNS suffix of those of its services' endpoints that IPv6 reaches too. */
  dualStackSuffix: string;
  /** Whether CodeCommit has FIPS endpoints here, in some regions at least. */
  fips: boolean;
  /** Where STS is asked when no region is known. */
  defaultRegion: string;
}

export const partitions: readonly Partition[] = [
  {
    id: 'aws',
    region: /^(?!cn-|us-gov-|us-iso|eu-iso|eusc-)[a-z]{2}-[a-z]+-\d{1,2}$/,
    suffix: 'amazonaws.com',
    dualStackSuffix: 'api.aws',
    fips: true,
    defaultRegion: 'us-east-1',
  },
  {
    id: 'aws-us-gov',
    region: /^us-gov-[a-z]+-\d{1,2}$/,
    suffix: 'amazonaws.com',
    dualStackSuffix: 'api.aws',
    fips: true,
    defaultRegion: 'us-gov-west-1',
  },
  {
    id: 'aws-cn',
    region: /^cn-[a-z]+-\d{1,2}$/,
    suffix: 'amazonaws.com.cn',
    dualStackSuffix: 'api.amazonwebservices.com.cn',
    fips: false,
    defaultRegion: 'cn-north-1',
  },
  {
    id: 'aws-eusc',
    region: /^eusc-[a-z]+-[a-z]+-\d{1,2}$/,
    suffix: 'amazonaws.eu',
    dualStackSuffix: 'api.amazonwebservices.eu',
    fips: false,
    defaultRegion: 'eusc-de-east-1',
  },
];

/** CodeCommit's two names for Git, the second with FIPS 140 endpoints. */
const services = ['git-codecommit', 'git-codecommit-fips'] as const;

/** A repository's host, taken apart. */
export interface CodeCommitHost {
  /**
   * Without a port, and otherwise as it came: so Git sends it in HTTP's Host header, whose value SigV4 takes as it is, and so
   * AWS's own helper signs it.
   */
  host: string;
  region: string;
  partition: Partition;
}

/**
 * Recognises CodeCommit's hosts: public, FIPS, GovCloud, China, the European Sovereign Cloud, and PrivateLink
 * (`<vpce-id>.git-codecommit.<region>.vpce.<suffix>`, whose first part may hold dots). The name is matched whole, from both
 * ends, and region and suffix must be of one partition.
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
  // PrivateLink's names have both of its marks, the others none; and a label is never empty.
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

/** The patterns that cover all of CodeCommit's hosts, public ones first; PrivateLink's where its first part holds no dot. */
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
 * @param repository its name; what a URL's path cannot hold is percent-encoded
 * @returns undefined when no partition has such a region, or FIPS is asked for where there is none
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

/** The partition that a region's name belongs to, or undefined when it is no region's name. */
export function partitionOf(region: string): Partition | undefined {
  return partitions.find((partition) => partition.region.test(region));
}

/** A role's ARN, taken apart. */
export interface RoleArn {
  arn: string;
  partition: Partition;
  account: string;
  /** With its path, if it has one: `team/Developer`. */
  name: string;
}

/**
 * Reads the ARN of an IAM role: `arn:<partition>:iam::<12 digits>:role/<path and name>` (IAM: names have at most 64 of
 * `[\w+=,.@-]`, and with the path 512 characters). IAM would take quotes and shell characters in a path; we do not, as
 * the ARN is written into a command line in AWS's config file.
 *
 * @returns undefined when it is not exactly that
 */
export function parseRoleArn(arn: string): RoleArn | undefined {
  const match =
    /^arn:(aws|aws-cn|aws-us-gov|aws-eusc):iam::(\d{12}):role\/((?:[A-Za-z0-9_+=,.@-]+\/)*[A-Za-z0-9_+=,.@-]{1,64})$/.exec(
      arn,
    );
  if (match === null || arn.length > 2048) return undefined;
  const [, id, account = '', name = ''] = match;
  const partition = partitions.find((known) => known.id === id);
  return partition && name.length <= 576 ? { arn, partition, account, name } : undefined;
}

/** Whether a name has the shape of a region of any partition. */
export function isRegion(region: string): boolean {
  return partitionOf(region) !== undefined;
}

/**
 * Whether a name that a person types can be a region's: beside its shape, the direction in it is one that AWS uses, so that
 * `us-esat-1` is refused at once. What a file or a host says is judged by its shape alone.
 */
export function looksLikeRegion(region: string): boolean {
  return isRegion(region) && /-(central|(north|south)(east|west)?|east|west)-\d{1,2}$/.test(region);
}
