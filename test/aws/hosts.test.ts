import { describe, expect, it } from 'vitest';
import { gitHost, gitUrlPatterns, hostOf, partitionOfRegion, repositoryUrl } from './hosts.ts';

// PrivateLink names from AWS CLI's examples: regional, and for one availability zone.
const endpoint = 'vpce-0b47ea360adebf88a-jkl88hez';
const zonal = `${endpoint}-us-east-1a`;

describe('hosts', () => {
  it.each([
    ['git-codecommit.us-east-1.amazonaws.com', 'us-east-1', 'aws'],
    ['GIT-CodeCommit.us-east-1.AmazonAWS.com', 'us-east-1', 'aws'],
    ['git-codecommit.il-central-1.amazonaws.com', 'il-central-1', 'aws'],
    ['git-codecommit-fips.ca-central-1.amazonaws.com', 'ca-central-1', 'aws'],
    ['git-codecommit.us-gov-east-1.amazonaws.com', 'us-gov-east-1', 'aws-us-gov'],
    ['git-codecommit-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1', 'aws-us-gov'],
    ['git-codecommit.cn-northwest-1.amazonaws.com.cn', 'cn-northwest-1', 'aws-cn'],
    ['git-codecommit.eusc-de-east-1.amazonaws.eu', 'eusc-de-east-1', 'aws-eusc'],
    [`${endpoint}.git-codecommit.us-east-1.vpce.amazonaws.com`, 'us-east-1', 'aws'],
    [`${zonal}.git-codecommit.us-east-1.vpce.amazonaws.com`, 'us-east-1', 'aws'],
    [`${endpoint}.zone.git-codecommit.us-east-1.vpce.amazonaws.com`, 'us-east-1', 'aws'],
    [`${endpoint}.git-codecommit-fips.us-gov-west-1.vpce.amazonaws.com`, 'us-gov-west-1', 'aws-us-gov'],
    [`${endpoint}.git-codecommit.cn-north-1.vpce.amazonaws.com.cn`, 'cn-north-1', 'aws-cn'],
    [`${endpoint}.git-codecommit.eusc-de-east-1.vpce.amazonaws.eu`, 'eusc-de-east-1', 'aws-eusc'],
  ])('%s is %s of %s', (host, region, partition) => {
    expect(gitHost(host)).toEqual({ region, partition });
    expect(partitionOfRegion(region)).toBe(partition);
  });

  it.each([
    '',
    'amazonaws.com',
    'codecommit.us-east-1.amazonaws.com',
    'git-codecommit.amazonaws.com',
    'git-codecommit.us-east-1.amazonaws.com.',
    'git-codecommit.us-east-1.amazonaws.com:443',
    'git-codecommit.us-east-1.amazonaws.com.evil.example',
    'evil.git-codecommit.us-east-1.amazonaws.com',
    'xgit-codecommit.us-east-1.amazonaws.com',
    'git-codecommit.us-east-1.amazonaws.comx',
    'git-codecommit.us-east-1.amazonawsxcom',
    // A region of one partition with the suffix of another.
    'git-codecommit.cn-north-1.amazonaws.com',
    'git-codecommit.us-east-1.amazonaws.com.cn',
    'git-codecommit.eusc-de-east-1.amazonaws.com',
    'git-codecommit.eu-central-1.amazonaws.eu',
    'git-codecommit.us-gov-west-1.amazonaws.com.cn',
    'git-codecommit.us-iso-east-1.amazonaws.com',
    'git-codecommit.xx-east-1.amazonaws.com',
    // Incomplete PrivateLink names.
    `${endpoint}.git-codecommit.us-east-1.amazonaws.com`,
    'git-codecommit.us-east-1.vpce.amazonaws.com',
    'evil.git-codecommit.us-east-1.vpce.amazonaws.com',
    `.git-codecommit.us-east-1.vpce.amazonaws.com`,
    `${endpoint}..git-codecommit.us-east-1.vpce.amazonaws.com`,
    `${endpoint}-.git-codecommit.us-east-1.vpce.amazonaws.com`,
    `${endpoint}.git-codecommit.us-east-1.vpce.amazonaws.com.evil.example`,
  ])('"%s" is not one', (host) => {
    expect(gitHost(host)).toBeUndefined();
  });

  it('have a name for each known region and kind', () => {
    expect(hostOf('us-east-1')).toBe('git-codecommit.us-east-1.amazonaws.com');
    expect(repositoryUrl('cn-north-1', 'demo', { fips: true, endpoint })).toBe(
      `https://${endpoint}.git-codecommit-fips.cn-north-1.vpce.amazonaws.com.cn/v1/repos/demo`,
    );
    expect(() => hostOf('mars-north-1')).toThrow('not a region');
  });

  it('have one Git pattern for each family, and each host matches exactly one', () => {
    expect(new Set(gitUrlPatterns).size).toBe(12);
    for (const region of ['eu-west-1', 'us-gov-west-1', 'cn-north-1', 'eusc-de-east-1']) {
      for (const kind of [{}, { fips: true }, { endpoint }, { fips: true, endpoint: zonal }]) {
        const host = hostOf(region, kind);
        const matching = gitUrlPatterns.filter((pattern) => {
          const labels = pattern.slice('https://'.length).split('.');
          const actual = host.split('.');
          return labels.length === actual.length && labels.every((label, i) => label === '*' || label === actual[i]);
        });
        expect(matching).toHaveLength(1);
      }
    }
  });
});
