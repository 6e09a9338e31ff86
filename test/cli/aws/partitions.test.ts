import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeCommitHost, codeCommitUrl, gitUrlPatterns } from '../../../cli/aws/codecommit/hosts.ts';
import { splitCommandLine } from '../../../cli/aws/config/command-line.ts';
import { isRegion, looksLikeRegion, partitionOf, partitions } from '../../../cli/aws/partitions.ts';
import { parseRoleArn } from '../../../cli/aws/role-arn.ts';

describe("CodeCommit's hosts", () => {
  test.each([
    ['git-codecommit.us-east-1.amazonaws.com', 'us-east-1', 'aws'],
    ['git-codecommit.us-east-1.amazonaws.com:443', 'us-east-1', 'aws'],
    ['git-codecommit.us-east-1.amazonaws.com:1', 'us-east-1', 'aws'],
    ['git-codecommit.us-east-1.amazonaws.com:65535', 'us-east-1', 'aws'],
    ['vpce-1.git-codecommit.us-east-1.vpce.amazonaws.com', 'us-east-1', 'aws'],
    ['Git-CodeCommit.US-East-1.amazonaws.com', 'us-east-1', 'aws'],
    ['git-codecommit.ap-southeast-4.amazonaws.com', 'ap-southeast-4', 'aws'],
    ['git-codecommit-fips.ca-central-1.amazonaws.com', 'ca-central-1', 'aws'],
    ['git-codecommit.us-gov-west-1.amazonaws.com', 'us-gov-west-1', 'aws-us-gov'],
    ['git-codecommit-fips.us-gov-east-1.amazonaws.com', 'us-gov-east-1', 'aws-us-gov'],
    ['git-codecommit.cn-north-1.amazonaws.com.cn', 'cn-north-1', 'aws-cn'],
    ['git-codecommit.eusc-de-east-1.amazonaws.eu', 'eusc-de-east-1', 'aws-eusc'],
    ['vpce-0a1b-xy.git-codecommit.us-east-1.vpce.amazonaws.com', 'us-east-1', 'aws'],
    ['vpce-0a1b-xy-us-east-1a.git-codecommit-fips.us-east-1.vpce.amazonaws.com', 'us-east-1', 'aws'],
    ['vpce-0a1b.with.dots.git-codecommit.eu-west-1.vpce.amazonaws.com', 'eu-west-1', 'aws'],
    ['vpce-0a1b-xy.git-codecommit.cn-north-1.vpce.amazonaws.com.cn', 'cn-north-1', 'aws-cn'],
  ])('%s', (value, region, partition) => {
    const found = codeCommitHost(value);
    expect([found?.region, found?.partition.id]).toEqual([region, partition]);
    expect(found?.host).toBe(value.replace(/:\d+$/, ''));
  });

  test.each([
    'git-codecommit.us-east-1.amazonaws.com.evil.example',
    'git-codecommit.us-east-1.amazonaws.com-evil.example',
    'git-codecommit.us-east-1.amazonaws.com1',
    'evil.example',
    'evil-git-codecommit.us-east-1.amazonaws.com',
    'x.git-codecommit.us-east-1.amazonaws.com',
    'git-codecommit.us-east-1.amazonaws.com.',
    'git-codecommit.us-east-1.amazonaws.com:443:443',
    'git-codecommit.us-east-1.amazonaws.com:0',
    'git-codecommit.us-east-1.amazonaws.com:65536',
    'vpce-a..b.git-codecommit.us-east-1.vpce.amazonaws.com',
    'vpce-a-.git-codecommit.us-east-1.vpce.amazonaws.com',
    'vpce-a.b-.git-codecommit.us-east-1.vpce.amazonaws.com',
    'git-codecommit.us-east-1.amazonaws.com:99999',
    'git-codecommit.us-east-1.amazonaws.com@evil.example',
    'user@git-codecommit.us-east-1.amazonaws.com',
    'git-codecommit.us-east-1.amazonaws.com/evil.example',
    'evil.example/git-codecommit.us-east-1.amazonaws.com',
    'git-codecommit.us-east-1.amazonaws.com\n',
    'git-codecommit.us-east-1xamazonaws.com',
    'git-codecommit..amazonaws.com',
    'git-codecommit.us.east-1.amazonaws.com',
    'git-codecommit.amazonaws.com',
    'git-codecommit.us-east-1.amazonaws.com.cn',
    'git-codecommit.cn-north-1.amazonaws.com',
    'git-codecommit.us-east-1.amazonaws.eu',
    'git-codecommit.us-east-1.vpce.amazonaws.com',
    'vpce-1.git-codecommit.us-east-1.amazonaws.com',
    'vpce-1..git-codecommit.us-east-1.vpce.amazonaws.com',
    'evil.vpce-1.git-codecommit.us-east-1.vpce.amazonaws.com',
    'git-codecommit-fips.cn-north-1.amazonaws.com.cn',
    'git-codecommit-fips.eusc-de-east-1.amazonaws.eu',
    'git-codecommit.us-gov-west-1.amazonaws.eu',
    'git-codecommit.eusc-de-east-1.amazonaws.com',
    'git-codecommit.us-iso-east-1.amazonaws.com',
    'git-codecommit.us-east-1.amazonaws.com.eu',
    'vpce-1.git-codecommit.cn-north-1.vpce.amazonaws.com',
    'vpce-1.git-codecommit.us-east-1.vpce.amazonaws.com.evil.example',
    'vpce-.git-codecommit.us-east-1.vpce.amazonaws.com',
    '-vpce-1.git-codecommit.us-east-1.vpce.amazonaws.com',
    'codecommit.us-east-1.amazonaws.com',
    's3.us-east-1.amazonaws.com',
    '',
  ])('not %j', (value) => {
    expect(codeCommitHost(value)).toBeUndefined();
  });
});

test('a host has 253 characters, as DNS has it, and not one more', () => {
  const host = (length: number) => {
    const end = '.git-codecommit.us-east-1.vpce.amazonaws.com';
    return `vpce-${'a'.repeat(length - 'vpce-'.length - end.length)}${end}`;
  };
  expect(codeCommitHost(`${host(253)}:65535`)?.host).toHaveLength(253);
  expect(codeCommitHost(host(254))).toBeUndefined();
});

test('without a region, STS is asked in one of the role’s partition', () => {
  for (const { id, defaultRegion } of partitions) expect(partitionOf(defaultRegion)?.id).toBe(id);
  expect(partitions.map(({ defaultRegion }) => defaultRegion)).toEqual([
    'us-east-1',
    'us-gov-west-1',
    'cn-north-1',
    'eusc-de-east-1',
  ]);
});

const longestPath = `${'p'.repeat(511)}/`;

describe('the ARN of a role', () => {
  test.each([
    ['arn:aws:iam::123456789012:role/Dev', 'aws', 'Dev'],
    ['arn:aws-cn:iam::123456789012:role/team/a/Dev_1+=,.@-', 'aws-cn', 'team/a/Dev_1+=,.@-'],
    ['arn:aws-us-gov:iam::123456789012:role/Dev', 'aws-us-gov', 'Dev'],
    ['arn:aws-eusc:iam::123456789012:role/Dev', 'aws-eusc', 'Dev'],
    // IAM's longest: a path of 512 characters and a name of 64.
    [`arn:aws:iam::123456789012:role/${longestPath}${'n'.repeat(64)}`, 'aws', `${longestPath}${'n'.repeat(64)}`],
  ])('%s', (arn, partition, name) => {
    const found = parseRoleArn(arn);
    expect([found?.partition.id, found?.account, found?.name]).toEqual([partition, '123456789012', name]);
  });

  test.each([
    'arn:aws:iam::12345678901:role/Dev',
    'arn:aws:iam::123456789012:user/Dev',
    'arn:aws:iam::123456789012:role/',
    'arn:aws:iam::123456789012:role//Dev',
    'arn:aws:iam:us-east-1:123456789012:role/Dev',
    'arn:aws-iso:iam::123456789012:role/Dev',
    'arn:aws:iam::123456789012:role/Dev; rm -rf /',
    'arn:aws:iam::123456789012:role/a"b',
    'arn:aws:iam::123456789012:role/Dev\n',
    ` arn:aws:iam::123456789012:role/Dev`,
    `arn:aws:iam::123456789012:role/${'a'.repeat(65)}`,
    `arn:aws:iam::123456789012:role/x${longestPath}${'n'.repeat(64)}`,
  ])('not %j', (arn) => {
    expect(parseRoleArn(arn)).toBeUndefined();
  });
});

test('a region is recognised by its shape, so that new ones need no release', () => {
  for (const region of [
    'us-east-1',
    'ap-southeast-7',
    'mx-central-1',
    'us-gov-west-1',
    'cn-northwest-1',
    'eusc-de-east-1',
    // No partition has as many today.
    'us-east-12',
    'us-gov-west-12',
    'cn-north-12',
    'eusc-de-east-12',
  ]) {
    expect(isRegion(region), region).toBe(true);
    expect(looksLikeRegion(region), region).toBe(true);
  }
  for (const region of ['', 'us-east', 'us-east-1a', 'US-EAST-1', 'us-east-1\n', '../x']) {
    expect(isRegion(region), region).toBe(false);
  }
  for (const region of ['us-east-1', 'us-gov-west-1', 'cn-north-1', 'eusc-de-east-1']) {
    for (const near of [`x${region}`, `.${region}`, `${region}x`, `${region}.x`, `${region}23`]) {
      expect(isRegion(near), near).toBe(false);
    }
  }
});

test.each(['us-esat-1', 'us-gov-wets-1', 'cn-nroth-1', 'eusc-de-esat-1'])(
  '%s has the shape of a region, but not its direction',
  (region) => {
    expect([isRegion(region), looksLikeRegion(region)]).toEqual([true, false]);
  },
);

test("the patterns for Git's configuration come from the table, one for each family of hosts", () => {
  expect(gitUrlPatterns()).toEqual([
    { pattern: 'https://git-codecommit.*.amazonaws.com', partitions: ['aws', 'aws-us-gov'] },
    { pattern: 'https://git-codecommit-fips.*.amazonaws.com', partitions: ['aws', 'aws-us-gov'] },
    { pattern: 'https://git-codecommit.*.amazonaws.com.cn', partitions: ['aws-cn'] },
    { pattern: 'https://git-codecommit.*.amazonaws.eu', partitions: ['aws-eusc'] },
    { pattern: 'https://*.git-codecommit.*.vpce.amazonaws.com', partitions: ['aws', 'aws-us-gov'] },
    { pattern: 'https://*.git-codecommit-fips.*.vpce.amazonaws.com', partitions: ['aws', 'aws-us-gov'] },
    { pattern: 'https://*.git-codecommit.*.vpce.amazonaws.com.cn', partitions: ['aws-cn'] },
    { pattern: 'https://*.git-codecommit.*.vpce.amazonaws.eu', partitions: ['aws-eusc'] },
  ]);
});

test.each([
  ['us-east-1', false, 'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo'],
  ['us-gov-east-1', true, 'https://git-codecommit-fips.us-gov-east-1.amazonaws.com/v1/repos/demo'],
  ['cn-north-1', false, 'https://git-codecommit.cn-north-1.amazonaws.com.cn/v1/repos/demo'],
  ['eusc-de-east-1', false, 'https://git-codecommit.eusc-de-east-1.amazonaws.eu/v1/repos/demo'],
  ['cn-north-1', true, undefined],
  ['us-iso-east-1', false, undefined],
  ['us-east-1.evil.example/', false, undefined],
  ['', false, undefined],
])('the address of a repository in %j, FIPS %s, is %s', (region, fips, url) => {
  expect(codeCommitUrl(region, 'demo', { fips })).toBe(url);
});

test('no name of a repository reaches out of its place in the address', () => {
  const url = codeCommitUrl('us-east-1', 'a/../b?c#d@e\n\ud800');
  expect(url).toBe('https://git-codecommit.us-east-1.amazonaws.com/v1/repos/a%2F..%2Fb%3Fc%23d%40e%0A%EF%BF%BD');
});

describe('whatever it is', () => {
  const near = fc
    .array(
      fc.constantFrom(
        ...[
          'git-codecommit',
          '-fips',
          '.',
          '..',
          '-',
          'vpce',
          'vpce-1',
          'us-east-1',
          'cn-north-1',
          'amazonaws',
          'com',
          'cn',
          'eu',
        ],
        ...[
          'arn',
          'aws',
          ':',
          '::',
          'iam',
          'sts',
          '123456789012',
          'role',
          '/',
          'a',
          '@',
          '%',
          '\n',
          '\0',
          '"',
          "'",
          '\\',
          ' ',
        ],
      ),
      { maxLength: 14 },
    )
    .map((pieces) => pieces.join(''));
  const anything = fc.oneof(near, fc.string({ unit: 'binary', maxLength: 300 }));

  test("a host is taken apart, or nobody's", () => {
    fc.assert(
      fc.property(anything, (value) => {
        const found = codeCommitHost(value);
        if (found === undefined) return;
        expect(value).toMatch(/^[A-Za-z0-9.-]+(:\d+)?$/);
        expect(found.region).toMatch(found.partition.region);
        const [first = '', ...rest] = found.host.toLowerCase().split('.git-codecommit');
        const own = rest.length === 0 ? first : `git-codecommit${rest.join('')}`;
        expect(own.endsWith(`.${found.partition.suffix}`)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('an ARN is taken apart, or none', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const found = parseRoleArn(value);
        if (found) expect(value).toBe(`arn:${found.partition.id}:iam::${found.account}:role/${found.name}`);
      }),
      { numRuns: 2000 },
    );
  });

  test('a command line is words, or none', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const words = splitCommandLine(value);
        if (words) expect(words.join('').length).toBeLessThanOrEqual(value.length);
      }),
      { numRuns: 2000 },
    );
  });

  test('a command line of quoted words is these words', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 6 }), (words) => {
        const quoted = words.map((word) => `'${word.replaceAll("'", `'"'"'`)}'`).join(' \t');
        expect(splitCommandLine(quoted)).toEqual(words);
      }),
    );
  });
});
