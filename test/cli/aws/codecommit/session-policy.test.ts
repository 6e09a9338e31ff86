import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesRepository, parseRepositoryPattern } from '../../../../cli/aws/codecommit/repository-pattern.ts';
import { type Fence, isBranchPattern, sessionPolicy } from '../../../../cli/aws/codecommit/session-policy.ts';
import { parseRoleArn, type RoleArn } from '../../../../cli/aws/role-arn.ts';
import { ContextKeys, evaluate, type PolicyDocument, validatePolicy } from '../../../aws/policy.ts';

const role = parseRoleArn('arn:aws:iam::123456789012:role/VouchDeveloper') as RoleArn;
const open: Fence = { repositories: [], pullOnly: false, branches: [], aws: false };
const named = (...texts: string[]) => texts.map((text) => parseRepositoryPattern(text) ?? { name: '', region: '' });

/** What the local AWS, which shares no code with ours, decides by the policy alone. */
function decide(fence: Partial<Fence>, action: string, name: string, references?: string[], region = 'us-east-1') {
  const policy = JSON.parse(sessionPolicy(role, { ...open, ...fence })) as PolicyDocument;
  validatePolicy(policy, 'permission');
  const context = new ContextKeys().set('codecommit:References', references).set('aws:ViaAWSService', 'false');
  const resource = `arn:aws:codecommit:${region}:123456789012:${name}`;
  return evaluate([policy], { action: `codecommit:${action}`, resource, context });
}

describe('what AWS decides by the policy', () => {
  test('for repositories, regions and pushes', () => {
    const fence = { repositories: named('demo', 'team-?', 'codecommit::eu-west-1://*') };
    expect(decide(fence, 'GitPull', 'demo')).toBe('Allow');
    expect(decide(fence, 'GitPush', 'team-a')).toBe('Allow');
    expect(decide(fence, 'GitPull', 'team-ab')).toBe('ImplicitDeny');
    expect(decide(fence, 'GitPull', 'other')).toBe('ImplicitDeny');
    expect(decide(fence, 'GitPull', 'other', undefined, 'eu-west-1')).toBe('Allow');
    expect(decide({ ...fence, pullOnly: true }, 'GitPush', 'demo')).toBe('ImplicitDeny');
    expect(decide({}, 'GitPush', 'anything')).toBe('Allow');
    expect(decide({}, 'DeleteRepository', 'demo')).toBe('ImplicitDeny');
    expect(decide({ aws: true }, 'DeleteRepository', 'demo')).toBe('ExplicitDeny');
  });

  test('for branches, whether AWS compares them one by one or at once', () => {
    const push = (...references: string[]) => decide({ branches: ['agent/*', 'main'] }, 'GitPush', 'demo', references);
    // Git's first request of a push, and what it tries a large one with.
    expect(decide({ branches: ['agent/*'] }, 'GitPush', 'demo')).toBe('Allow');
    expect(push('refs/heads/agent/one')).toBe('Allow');
    expect(push('refs/heads/main', 'refs/heads/agent/one')).toBe('Allow');
    for (const wrong of ['refs/heads/prod', 'refs/tags/agent/one', 'refs/heads/agent', 'refs/notes/x', 'agent/one']) {
      expect(push(wrong)).toBe('ExplicitDeny');
      expect(push('refs/heads/main', wrong)).toBe('ExplicitDeny');
      expect(push(wrong, 'refs/heads/main')).toBe('ExplicitDeny');
    }
    expect(decide({ branches: ['agent/*'] }, 'GitPull', 'demo')).toBe('Allow');
  });

  test('for a session whose ARN the policy of another resource names: for credentials, all but Git is denied', () => {
    // "The resource-based policy permissions are not limited by the session policy" (IAM user guide, "Session policies").
    const ofResource: PolicyDocument = {
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
    };
    const ask = (fence: Partial<Fence>, action: string, viaService = 'false') => {
      const policy = JSON.parse(sessionPolicy(role, { ...open, aws: true, ...fence })) as PolicyDocument;
      const context = new ContextKeys().set('aws:ViaAWSService', viaService);
      return evaluate([policy, ofResource], { action, resource: 'arn:aws:any:::thing', context });
    };
    for (const action of ['s3:GetObject', 'sts:AssumeRole', 'codecommit:GetFile']) {
      expect(ask({}, action)).toBe('ExplicitDeny');
    }
    expect(ask({ pullOnly: true }, 'codecommit:GitPush')).toBe('ExplicitDeny');
    expect(ask({}, 'codecommit:GitPush')).toBe('Allow');
    // CodeCommit's own request for the key of an encrypted repository.
    expect(ask({}, 'kms:Decrypt', 'true')).toBe('Allow');
  });

  test('is what the agent decides', () => {
    const character = fc.constantFrom('a', 'b', 'A', '.', '-', '_', '*', '?');
    const pattern = fc.string({ unit: character, minLength: 1, maxLength: 12 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '.', '-', '_'), minLength: 1, maxLength: 12 });
    const property = fc.property(pattern, name, (text, repository) => {
      const [one = { name: '', region: '' }] = named(text);
      const ours = matchesRepository(one, repository, 'us-east-1');
      expect(decide({ repositories: [one] }, 'GitPull', repository) === 'Allow').toBe(ours);
    });
    fc.assert(property, { numRuns: 2000 });
  });
});

test('a pattern with many wildcards costs no time', () => {
  const [one = { name: '', region: '' }] = named('*a'.repeat(50));
  expect(matchesRepository(one, 'a'.repeat(49), 'us-east-1')).toBe(false);
  expect(matchesRepository(one, 'b'.repeat(50) + 'a'.repeat(50), 'us-east-1')).toBe(true);
});

test('AWS takes 2,048 characters, and no more are sent', () => {
  const lengths = Array.from({ length: 30 }, (_, many) => {
    const repositories = Array.from({ length: many }, (_, n) => ({ name: `${n}${'r'.repeat(90)}`, region: undefined }));
    try {
      return sessionPolicy(role, { ...open, repositories }).length;
    } catch (error) {
      expect(error).toMatchObject({ kind: 'usage', what: expect.stringContaining('too long for AWS') });
      return 0;
    }
  });
  expect(Math.max(...lengths)).toBeLessThanOrEqual(2048);
  expect(Math.max(...lengths)).toBeGreaterThan(1900);
  expect(lengths.at(-1)).toBe(0);
});

test.each([
  ['demo', { name: 'demo', region: undefined }],
  ['Team_*.x-?', { name: 'Team_*.x-?', region: undefined }],
  ['https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo', { name: 'demo', region: 'us-east-1' }],
  ['https://git-codecommit-fips.us-east-1.amazonaws.com/v1/repos/demo/', { name: 'demo', region: 'us-east-1' }],
  ['https://git-codecommit.cn-north-1.amazonaws.com.cn/v1/repos/a*', { name: 'a*', region: 'cn-north-1' }],
  ['codecommit::eu-west-1://demo', { name: 'demo', region: 'eu-west-1' }],
])('%s names repositories', (text, found) => {
  expect(parseRepositoryPattern(text)).toEqual(found);
});

test.each([
  '',
  'a/b',
  'a b',
  'a:b',
  'a$',
  'ä',
  'a\nb',
  'a'.repeat(101),
  'codecommit://demo',
  'codecommit::us-east-1://profile@demo',
  'codecommit::nowhere://demo',
  'https://prod@git-codecommit.us-east-1.amazonaws.com/v1/repos/demo',
  'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/',
  'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo/x',
  'https://git-codecommit.us-east-1.amazonaws.com.evil.example/v1/repos/demo',
  'http://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo',
  'ssh://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo',
])('%j names none', (text) => {
  expect(parseRepositoryPattern(text)).toBeUndefined();
});

test('a branch is named as Git names it, perhaps with wildcards', () => {
  for (const good of ['main', 'agent/*', 'release-?', 'a.b/c_d@e', '*']) expect(isBranchPattern(good)).toBe(true);
  const bad = ['', '-x', '/a', 'a/', 'a//b', 'a..b', 'a b', '$' + '{aws:x}', 'a"b', 'ä', 'a\\b', 'x'.repeat(201)];
  for (const one of bad) expect(isBranchPattern(one)).toBe(false);
});
