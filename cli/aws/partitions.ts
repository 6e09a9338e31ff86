/**
 * AWS's partitions, in one table. There is no list of regions: a region is recognised by its shape, and its partition by the
 * host's suffix. So a new region works on its first day.
 */
export interface Partition {
  /** As in an ARN: `arn:<id>:iam::…` */
  id: 'aws' | 'aws-us-gov' | 'aws-cn' | 'aws-eusc';
  /** Whether a region's name belongs to this partition. */
  region: RegExp;
  /** The DNS suffix of its services. */
  suffix: string;
  /** The DNS suffix of its services' endpoints that IPv6 reaches too. */
  dualStackSuffix: string;
  /** Whether CodeCommit has FIPS endpoints in some of its regions. */
  fips: boolean;
  /** The region whose STS is asked by default. */
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

/** The partition of a region; undefined when the name is not a region's. */
export function partitionOf(region: string): Partition | undefined {
  return partitions.find((partition) => partition.region.test(region));
}

/** Whether a name has the shape of a region, in any partition. */
export function isRegion(region: string): boolean {
  return partitionOf(region) !== undefined;
}

/**
 * Whether a name that a person types can be a region's. Besides the shape, the direction must be one that AWS uses, so that
 * `us-esat-1` is refused at once. Names from files and hosts are judged by their shape alone.
 */
export function looksLikeRegion(region: string): boolean {
  return isRegion(region) && /-(central|(north|south)(east|west)?|east|west)-\d{1,2}$/.test(region);
}
