import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeCommitHost } from '../../../cli/aws/codecommit/hosts.ts';
import { repositoryUrl } from '../../../cli/git-remote-codecommit/endpoint.ts';
import { parseRemoteUrl } from '../../../cli/git-remote-codecommit/url.ts';
import { Problem } from '../../../cli/problem/problem.ts';

const longest = 'r'.repeat(100);

describe('a codecommit:// URL', () => {
  test.each([
    ['codecommit://test_repo', undefined, undefined, 'test_repo'],
    ['codecommit://profile@test_repo', undefined, 'profile', 'test_repo'],
    ['ca-central-1://test_repo', 'ca-central-1', undefined, 'test_repo'],
    ['ca-central-1://profile@test_repo', 'ca-central-1', 'profile', 'test_repo'],
    // A new region works on its first day, in every partition.
    ['mx-central-1://r', 'mx-central-1', undefined, 'r'],
    ['us-gov-west-1://r', 'us-gov-west-1', undefined, 'r'],
    ['cn-north-1://r', 'cn-north-1', undefined, 'r'],
    ['eusc-de-east-1://r', 'eusc-de-east-1', undefined, 'r'],
    // In a URL's scheme, case does not matter.
    ['US-East-1://r', 'us-east-1', undefined, 'r'],
    ['CodeCommit://r', undefined, undefined, 'r'],
    ['codecommit://r/', undefined, undefined, 'r'],
    ['codecommit://alice@example.com@r', undefined, 'alice@example.com', 'r'],
    ['codecommit://my profile@r', undefined, 'my profile', 'r'],
    ['codecommit://a:b@r', undefined, 'a:b', 'r'],
    ['codecommit://-p@-r', undefined, '-p', '-r'],
    [`codecommit://${longest}`, undefined, undefined, longest],
    ['codecommit://a.b-c_D.9', undefined, undefined, 'a.b-c_D.9'],
    ['codecommit://...', undefined, undefined, '...'],
    ['codecommit://r.git.x', undefined, undefined, 'r.git.x'],
  ])('%s', (url, region, profile, repository) => {
    expect(parseRemoteUrl(url)).toEqual({ region, profile, repository });
  });

  test.each([
    '',
    'boom',
    'codecommit:/test_repo',
    'codecommit//test_repo',
    '://test_repo',
    'codecommit://',
    'codecommit:://test_repo',
    'codecommit:///test_repo',
    'codecommit',
    'codecommit:test_repo',
    '//test_repo',
    'https://test_repo',
    'ssh://test_repo',
    'codecommits://test_repo',
    ' codecommit://test_repo',
    'codecommit ://test_repo',
    'x@codecommit://test_repo',
    'codecommit://@test_repo',
    'codecommit://profile@',
    'codecommit://repo/other',
    'codecommit://repo//',
    'codecommit://a/b@repo',
    'codecommit://repo?region=us-east-1',
    'codecommit://repo#branch',
    'codecommit://evil.example/v1/repos/x',
    'us-east-1:/repo',
    'git-codecommit.us-east-1.amazonaws.com/v1/repos/r',
  ])('that is malformed is refused, and the two formats are named: %s', (url) => {
    const problem = problemOf(() => parseRemoteUrl(url));
    expect([problem.kind, problem.exitCode]).toEqual(['malformed-url', 1]);
    expect(problem.what).toBe(`The following URL is malformed: ${url}`);
    expect(problem.why).toContain(
      'A URL must be in one of the two following formats: codecommit://<profile>@<repository> or codecommit::<region>://<profile>@<repository>',
    );
  });

  test.each(['us-east-1a', 'us-east-100', 'us-east-x1', 'us-iso-east-1', 'us-east-1.evil.example', 'aa-bb-cc-1'])(
    'names the region that is not one: %s',
    (region) => {
      const problem = problemOf(() => parseRemoteUrl(`${region}://repo`));
      expect(problem.kind).toBe('unknown-region');
      expect(problem.what).toBe(`The following AWS Region is not available for use with AWS CodeCommit: ${region}.`);
    },
  );

  test.each([
    '.',
    '..',
    '.git',
    `${longest}r`,
    'a b',
    'a\\b',
    'a%2Fb',
    '%2e%2e',
    'a:443',
    'répo',
    'a\nb',
    'a\0b',
    'a;b',
    '$(id)',
    "a'b",
    '[::1]',
    'a*',
  ])('rejects the repository name %j', (name) => {
    for (const before of ['codecommit://', 'codecommit://profile@', 'eu-west-1://', 'eu-west-1://profile@']) {
      expect(problemOf(() => parseRemoteUrl(`${before}${name}`)).kind).toBe('repository-name');
    }
  });

  test('with .git at the end is shown without it', () => {
    expect(problemOf(() => parseRemoteUrl('codecommit://p@demo.git')).fix).toBe('Leave it out: codecommit://p@demo');
    expect(problemOf(() => parseRemoteUrl('eu-west-1://demo.git/')).fix).toBe(
      'Leave it out: codecommit::eu-west-1://demo',
    );
  });

  test('never leads elsewhere than to its repository, and never fails in another way than its own', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'codecommit',
        ':',
        '://',
        '@',
        '/',
        '..',
        '?',
        '#',
        '%2F',
        'us-east-1',
        'cn-north-1',
        '.git',
        '\\',
      ),
      fc.string({ maxLength: 5 }),
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.stringMatching(/^[\w.@-]{0,8}$/),
    );
    const anything = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      fc
        .tuple(
          fc.constantFrom('codecommit', 'us-east-1', 'cn-north-1', 'eusc-de-east-1'),
          fc.array(piece, { maxLength: 4 }),
        )
        .map(([scheme, rest]) => `${scheme}://${rest.join('')}`),
    );
    let accepted = 0;
    fc.assert(
      fc.property(anything, (text) => {
        let remote: ReturnType<typeof parseRemoteUrl>;
        try {
          remote = parseRemoteUrl(text);
        } catch (error) {
          expect(error).toBeInstanceOf(Problem);
          return;
        }
        accepted++;
        const region = remote.region ?? 'eu-west-1';
        const url = new URL(repositoryUrl(region, remote.repository, {}));
        expect(codeCommitHost(url.host)).toMatchObject({ region });
        expect([url.username, url.password, url.search, url.hash]).toEqual(['', '', '', '']);
        expect(url.pathname).toBe(`/v1/repos/${remote.repository}`);
        expect(text).toContain(remote.repository);
      }),
      { numRuns: 5000 },
    );
    expect(accepted).toBeGreaterThan(50);
  });
});

describe('the host', () => {
  test.each([
    ['us-east-1', {}, 'git-codecommit.us-east-1.amazonaws.com'],
    ['us-gov-west-1', {}, 'git-codecommit.us-gov-west-1.amazonaws.com'],
    ['cn-northwest-1', {}, 'git-codecommit.cn-northwest-1.amazonaws.com.cn'],
    ['eusc-de-east-1', {}, 'git-codecommit.eusc-de-east-1.amazonaws.eu'],
    ['us-east-1', { AWS_USE_FIPS_ENDPOINT: 'true' }, 'git-codecommit-fips.us-east-1.amazonaws.com'],
    ['us-east-1', { AWS_USE_FIPS_ENDPOINT: 'TRUE' }, 'git-codecommit-fips.us-east-1.amazonaws.com'],
    ['us-east-1', { AWS_USE_FIPS_ENDPOINT: 'false' }, 'git-codecommit.us-east-1.amazonaws.com'],
    ['us-east-1', { CODE_COMMIT_ENDPOINT: '' }, 'git-codecommit.us-east-1.amazonaws.com'],
    [
      'us-east-1',
      {
        CODE_COMMIT_ENDPOINT: 'VPCE-0a1b-c2d3.git-codecommit.us-east-1.vpce.amazonaws.com:8443',
        AWS_USE_FIPS_ENDPOINT: 'true',
      },
      'vpce-0a1b-c2d3.git-codecommit.us-east-1.vpce.amazonaws.com:8443',
    ],
  ])('in %s with %j is %s', (region, env, host) => {
    expect(repositoryUrl(region, 'demo', env)).toBe(`https://${host}/v1/repos/demo`);
  });

  test.each([
    'evil.example',
    'git-codecommit.us-east-1.amazonaws.com.evil.example',
    'https://git-codecommit.us-east-1.amazonaws.com',
    'git-codecommit.us-east-1.amazonaws.com/',
    'user@git-codecommit.us-east-1.amazonaws.com',
    'git-codecommit.us-east-1.amazonaws.com\n',
    '-x',
  ])('that CODE_COMMIT_ENDPOINT names must be CodeCommit’s, and %j is not', (host) => {
    const problem = problemOf(() => repositoryUrl('us-east-1', 'demo', { CODE_COMMIT_ENDPOINT: host }));
    expect(problem.kind).toBe('endpoint');
    expect(problem.what).toContain(host);
  });

  test('that CODE_COMMIT_ENDPOINT names must be in the region of the repository', () => {
    const env = { CODE_COMMIT_ENDPOINT: 'git-codecommit.eu-west-1.amazonaws.com' };
    expect(problemOf(() => repositoryUrl('us-east-1', 'demo', env)).what).toBe(
      'CODE_COMMIT_ENDPOINT is in eu-west-1, but the repository is in us-east-1.',
    );
  });

  test('is refused if there is no FIPS endpoint', () => {
    const problem = problemOf(() => repositoryUrl('cn-north-1', 'demo', { AWS_USE_FIPS_ENDPOINT: 'true' }));
    expect(problem.what).toBe('CodeCommit has no FIPS endpoint in cn-north-1.');
  });
});

function problemOf(act: () => unknown): Problem {
  try {
    act();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('there is no problem');
}
