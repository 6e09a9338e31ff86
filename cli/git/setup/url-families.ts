import type { Partition } from '../../aws/partitions.ts';

/** The patterns of CodeCommit's hosts for Git's configuration, each with the partitions it serves. */
const families: readonly { pattern: string; partitions: Partition['id'][] }[] = [
  { pattern: 'https://git-codecommit.*.amazonaws.com', partitions: ['aws', 'aws-us-gov'] },
  { pattern: 'https://git-codecommit-fips.*.amazonaws.com', partitions: ['aws', 'aws-us-gov'] },
  { pattern: 'https://git-codecommit.*.amazonaws.com.cn', partitions: ['aws-cn'] },
  { pattern: 'https://git-codecommit.*.amazonaws.eu', partitions: ['aws-eusc'] },
  { pattern: 'https://*.git-codecommit.*.vpce.amazonaws.com', partitions: ['aws', 'aws-us-gov'] },
  { pattern: 'https://*.git-codecommit-fips.*.vpce.amazonaws.com', partitions: ['aws', 'aws-us-gov'] },
  { pattern: 'https://*.git-codecommit.*.vpce.amazonaws.com.cn', partitions: ['aws-cn'] },
  { pattern: 'https://*.git-codecommit.*.vpce.amazonaws.eu', partitions: ['aws-eusc'] },
];

export const gitUrlPatterns = () => families;
