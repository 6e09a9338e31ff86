/**
 * CodeCommit's hosts, for a server that must know its own names. The regions' patterns and the DNS suffixes come from AWS's
 * published partition data (`partitions.json` of the SDKs); the names before them come from
 * https://docs.aws.amazon.com/codecommit/latest/userguide/regions.html#regions-git and
 * https://docs.aws.amazon.com/codecommit/latest/userguide/codecommit-and-interface-VPC.html
 */

const partitions = [
  { id: 'aws', region: /^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$/, suffix: 'amazonaws.com', first: 'us-east-1' },
  { id: 'aws-us-gov', region: /^us-gov-\w+-\d+$/, suffix: 'amazonaws.com', first: 'us-gov-west-1' },
  { id: 'aws-cn', region: /^cn-\w+-\d+$/, suffix: 'amazonaws.com.cn', first: 'cn-north-1' },
  { id: 'aws-eusc', region: /^eusc-(de)-\w+-\d+$/, suffix: 'amazonaws.eu', first: 'eusc-de-east-1' },
] as const;

const suffixes = [...new Set(partitions.map(({ suffix }) => suffix))];

/** The location of a host's repositories. */
export interface GitHost {
  region: string;
  partition: string;
}

/** The partition of a region, by its pattern; undefined if no pattern matches. */
export function partitionOfRegion(region: string): string | undefined {
  return partitions.find((partition) => partition.region.test(region))?.id;
}

/** A partition's region for tests that do not care which. */
export function firstRegion(partition: string): string {
  const known = partitions.find(({ id }) => id === partition);
  if (known === undefined) throw new Error(`unknown partition ${partition}`);
  return known.first;
}

/**
 * The region and partition of a CodeCommit host, or undefined for any other host. The whole name must match, and the region must
 * belong to the suffix's partition. Case does not matter (RFC 9110, section 4.2.3).
 *
 * PrivateLink puts the endpoint's name (`vpce-<id>-<suffix>`, with an availability zone at its end for a zonal one)
 * first and `vpce` after the region:
 * https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html#interface-endpoint-dns-hostnames
 */
export function gitHost(host: string): GitHost | undefined {
  const [, endpoint, region = '', vpce, suffix] =
    /^((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+)?git-codecommit(?:-fips)?\.([a-z0-9-]+)\.(vpce\.)?(amazonaws\.com(?:\.cn)?|amazonaws\.eu)$/.exec(
      host.toLowerCase(),
    ) ?? [];
  if (suffix === undefined || (endpoint === undefined) !== (vpce === undefined)) return undefined;
  if (endpoint !== undefined && !endpoint.startsWith('vpce-')) return undefined;
  const partition = partitions.find((known) => known.suffix === suffix && known.region.test(region));
  return partition && { region, partition: partition.id };
}

/**
 * The partition that signs in at a host; undefined for any other host.
 * https://docs.aws.amazon.com/general/latest/gr/signin-service.html, and for the other partitions
 * https://docs.amazonaws.cn/en_us/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html,
 * https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-iam.html, https://docs.aws.eu/
 */
export function signInHost(host: string): string | undefined {
  const [, region, domain = ''] = /^(?:([a-z0-9-]+)\.)?signin\.([a-z0-9.-]+)$/.exec(host.toLowerCase()) ?? [];
  const partition = signInDomains[domain];
  // The European Sovereign Cloud has no host without a region.
  if (region === undefined) return partition === 'aws-eusc' ? undefined : partition;
  return partition !== undefined && partitionOfRegion(region) === partition ? partition : undefined;
}

const signInDomains: Readonly<Record<string, string>> = {
  'aws.amazon.com': 'aws',
  'amazonaws-us-gov.com': 'aws-us-gov',
  'amazonaws.cn': 'aws-cn',
  'amazonaws-eusc.eu': 'aws-eusc',
};

/** The domain of a partition's console. https://docs.aws.amazon.com/general/latest/gr/mgmt-console.html */
export function consoleDomain(partition: string): string {
  const [domain] = Object.entries(signInDomains).find(([, id]) => id === partition) ?? [];
  return `console.${domain}`;
}

/** Selects one of a region's hosts: FIPS, PrivateLink. */
export interface HostKind {
  fips?: boolean;
  /** `vpce-0b47ea360adebf88a-jkl88hez` */
  endpoint?: string;
}

/** The name of a region's host. */
export function hostOf(region: string, { fips = false, endpoint }: HostKind = {}): string {
  const suffix = partitions.find((partition) => partition.region.test(region))?.suffix;
  if (suffix === undefined) throw new Error(`"${region}" is not a region`);
  const name = `git-codecommit${fips ? '-fips' : ''}.${region}`;
  return endpoint === undefined ? `${name}.${suffix}` : `${endpoint}.${name}.vpce.${suffix}`;
}

/** The URL of a repository on one of its region's hosts. */
export const repositoryUrl = (region: string, name: string, kind: HostKind = {}): string =>
  `https://${hostOf(region, kind)}/v1/repos/${name}`;

/** Patterns for Git's `http.<url>`, one for each family of hosts; `*` is one whole label. git-config(1), http.<url>.* */
export const gitUrlPatterns: readonly string[] = suffixes.flatMap((suffix) =>
  ['git-codecommit', 'git-codecommit-fips'].flatMap((name) => [
    `https://${name}.*.${suffix}`,
    `https://*.${name}.*.vpce.${suffix}`,
  ]),
);
