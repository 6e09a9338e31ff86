import { describe, expect, it } from 'vitest';
import { ContextKeys, evaluate, type PolicyDocument, type Statement, validatePolicy } from './policy.ts';

/** A policy variable. */
const variable = (key: string) => `\${${key}}`;

const federated = 'arn:aws:iam::123456789012:oidc-provider/auth.example.com';
const context = () =>
  new ContextKeys()
    .set('auth.example.com:sub', 'alice@example.com')
    .set('auth.example.com:aud', 'https://auth.example.com')
    .set('sts:RoleSessionName', 'alice@example.com')
    .set('sts:RoleAuthorizedByIdp', 'true')
    .set('aws:TokenIssueTime', '2026-01-02T03:04:05Z')
    .set('aws:TagKeys', ['vouch:Email', 'vouch:Domain'])
    .set('aws:RequestTag/vouch:Email', 'a*e@example.com');

/** Whether a trust policy with this condition admits Alice. */
function holds(condition: Statement['Condition'], version: PolicyDocument['Version'] | null = '2012-10-17'): boolean {
  const Statement = {
    Effect: 'Allow' as const,
    Principal: { Federated: federated },
    Action: 'sts:AssumeRoleWithWebIdentity',
    ...(condition !== undefined && { Condition: condition }),
  };
  const document = { ...(version !== null && { Version: version }), Statement };
  const request = { action: 'sts:AssumeRoleWithWebIdentity', federated, context: context() };
  return evaluate([document], request) === 'Allow';
}

describe('conditions', () => {
  const sub = 'auth.example.com:sub';
  it.each<[string, Statement['Condition'], boolean]>([
    ['no condition', undefined, true],
    ['StringEquals', { StringEquals: { [sub]: 'alice@example.com' } }, true],
    ['StringEquals, key in another case', { StringEquals: { 'Auth.Example.com:SUB': 'alice@example.com' } }, true],
    ['StringEquals, one of several', { StringEquals: { [sub]: ['bob@example.com', 'alice@example.com'] } }, true],
    ['StringEquals, value in another case', { StringEquals: { [sub]: 'Alice@example.com' } }, false],
    ['StringEquals does not know patterns', { StringEquals: { [sub]: '*@example.com' } }, false],
    ['StringEquals, key missing', { StringEquals: { 'auth.example.com:amr': 'x' } }, false],
    ['StringEqualsIfExists, key missing', { StringEqualsIfExists: { 'auth.example.com:amr': 'x' } }, true],
    ['StringEqualsIfExists, key there', { StringEqualsIfExists: { [sub]: 'x' } }, false],
    ['StringEqualsIgnoreCase', { StringEqualsIgnoreCase: { [sub]: 'ALICE@example.com' } }, true],
    ['StringLike', { StringLike: { [sub]: '*@example.com' } }, true],
    ['StringLike, ?', { StringLike: { [sub]: 'alic?@example.com' } }, true],
    ['StringLike matches whole values', { StringLike: { [sub]: 'alice' } }, false],
    ['StringLike, a dot is a dot', { StringLike: { [sub]: '*@example?com' } }, true],
    ['StringLike is not a regular expression', { StringLike: { [sub]: '.*@example.com' } }, false],
    ['StringNotEquals', { StringNotEquals: { [sub]: ['bob@example.com', 'alice@example.com'] } }, false],
    ['StringNotEquals, another', { StringNotEquals: { [sub]: 'bob@example.com' } }, true],
    ['StringNotLike', { StringNotLike: { [sub]: '*@example.com' } }, false],
    ['StringNotEquals, key missing', { StringNotEquals: { 'auth.example.com:amr': 'x' } }, true],
    ['Bool', { Bool: { 'sts:RoleAuthorizedByIdp': 'true' } }, true],
    ['Bool, as JSON', { Bool: { 'sts:RoleAuthorizedByIdp': true } }, true],
    ['Bool, false', { Bool: { 'sts:RoleAuthorizedByIdp': 'false' } }, false],
    ['Bool, key missing', { Bool: { 'aws:SecureTransport': 'false' } }, false],
    ['DateLessThan, later', { DateLessThan: { 'aws:TokenIssueTime': '2026-01-02T03:04:06Z' } }, true],
    ['DateLessThan, the same moment', { DateLessThan: { 'aws:TokenIssueTime': '2026-01-02T03:04:05Z' } }, false],
    ['DateLessThan, a fraction later', { DateLessThan: { 'aws:TokenIssueTime': '2026-01-02T03:04:05.1Z' } }, true],
    ['DateLessThan, in another zone', { DateLessThan: { 'aws:TokenIssueTime': '2026-01-02T04:04:06+01:00' } }, true],
    ['DateLessThan, a day', { DateLessThan: { 'aws:TokenIssueTime': '2026-01-02' } }, false],
    ['DateLessThan, seconds since 1970', { DateLessThan: { 'aws:TokenIssueTime': 1767323046 } }, true],
    ['DateLessThan, key missing', { DateLessThan: { 'aws:CurrentTime': '2026-01-02T03:04:06Z' } }, false],
    ['DateLessThan, key is no date', { DateLessThan: { [sub]: '2026-01-02T03:04:06Z' } }, false],
    ['Null false: key is there', { Null: { [sub]: 'false' } }, true],
    ['Null true: key is there', { Null: { [sub]: 'true' } }, false],
    ['Null true: key is missing', { Null: { 'auth.example.com:amr': 'true' } }, true],
    ['ForAllValues', { 'ForAllValues:StringLike': { 'aws:TagKeys': 'vouch:*' } }, true],
    ['ForAllValues, one is not', { 'ForAllValues:StringEquals': { 'aws:TagKeys': 'vouch:Email' } }, false],
    ['ForAllValues, key missing', { 'ForAllValues:StringEquals': { 'sts:TransitiveTagKeys': 'x' } }, true],
    ['ForAnyValue', { 'ForAnyValue:StringEquals': { 'aws:TagKeys': 'vouch:Email' } }, true],
    ['ForAnyValue, none is', { 'ForAnyValue:StringEquals': { 'aws:TagKeys': 'x' } }, false],
    ['ForAnyValue, key missing', { 'ForAnyValue:StringEquals': { 'sts:TransitiveTagKeys': 'x' } }, false],
    ['a variable', { StringEquals: { 'sts:RoleSessionName': variable(sub) } }, true],
    ['a variable in a pattern', { StringLike: { 'sts:RoleSessionName': `*${variable(sub)}` } }, true],
    [
      'the value of a variable is not a pattern',
      { StringLike: { [sub]: variable('aws:RequestTag/vouch:Email') } },
      false,
    ],
    ['a variable without a value', { StringEquals: { [sub]: variable('aws:username') } }, false],
    ['a variable with a default', { StringEquals: { [sub]: variable("aws:username, 'alice@example.com'") } }, true],
    ['a variable with two values', { StringLike: { 'aws:TagKeys': variable('aws:TagKeys') } }, false],
    ['an escaped star', { StringLike: { 'aws:RequestTag/vouch:Email': `a${variable('*')}e@example.com` } }, true],
    ['an escaped star is a star', { StringLike: { [sub]: `a${variable('*')}` } }, false],
    ['two keys, one wrong', { StringEquals: { [sub]: 'alice@example.com', 'auth.example.com:aud': 'x' } }, false],
    ['two operators, one wrong', { StringLike: { [sub]: '*' }, Bool: { 'sts:RoleAuthorizedByIdp': false } }, false],
  ])('%s', (_name, condition, expected) => {
    expect(holds(condition)).toBe(expected);
  });

  it('expands variables only in version 2012-10-17', () => {
    const condition = { StringEquals: { 'sts:RoleSessionName': variable(sub) } };
    expect(holds(condition, '2012-10-17')).toBe(true);
    expect(holds(condition, '2008-10-17')).toBe(false);
    expect(holds(condition, null)).toBe(false);
  });
});

describe('statements', () => {
  const allow: Statement = {
    Effect: 'Allow',
    Action: 'codecommit:Git*',
    Resource: 'arn:aws:codecommit:us-east-1:1:demo',
  };
  const ask = (action: string, resource: string, ...statements: Statement[]) =>
    evaluate([{ Version: '2012-10-17', Statement: statements }], { action, resource, context: context() });

  it('denies what no statement allows', () => {
    const demo = 'arn:aws:codecommit:us-east-1:1:demo';
    expect(ask('codecommit:GitPull', demo, allow)).toBe('Allow');
    expect(ask('CodeCommit:gitpull', demo, allow)).toBe('Allow');
    expect(ask('codecommit:DeleteRepository', demo, allow)).toBe('ImplicitDeny');
    expect(ask('codecommit:GitPull', `${demo}2`, allow)).toBe('ImplicitDeny');
    expect(ask('codecommit:GitPull', demo)).toBe('ImplicitDeny');
  });

  it('lets a deny beat an allow, in whatever order', () => {
    const deny: Statement = { Effect: 'Deny', Action: 'codecommit:GitPush', Resource: '*' };
    const demo = 'arn:aws:codecommit:us-east-1:1:demo';
    expect(ask('codecommit:GitPush', demo, allow, deny)).toBe('ExplicitDeny');
    expect(ask('codecommit:GitPush', demo, deny, allow)).toBe('ExplicitDeny');
    expect(ask('codecommit:GitPull', demo, deny, allow)).toBe('Allow');
  });

  it('understands NotAction and NotResource', () => {
    const statement: Statement = { Effect: 'Allow', NotAction: 'codecommit:GitPush', NotResource: '*:secret' };
    expect(ask('codecommit:GitPull', 'arn:demo', statement)).toBe('Allow');
    expect(ask('codecommit:GitPush', 'arn:demo', statement)).toBe('ImplicitDeny');
    expect(ask('codecommit:GitPull', 'arn:secret', statement)).toBe('ImplicitDeny');
  });

  it('trusts only the named provider', () => {
    const trusting = (Principal: Statement['Principal']) =>
      evaluate([{ Statement: { Effect: 'Allow', Action: 'sts:*', ...(Principal !== undefined && { Principal }) } }], {
        action: 'sts:TagSession',
        federated,
        context: context(),
      });
    expect(trusting({ Federated: federated })).toBe('Allow');
    expect(trusting({ Federated: ['x', federated] })).toBe('Allow');
    expect(trusting({ Federated: `${federated}.evil.example` })).toBe('ImplicitDeny');
    expect(trusting({ AWS: '*' })).toBe('ImplicitDeny');
    expect(trusting('*')).toBe('ImplicitDeny');
    expect(trusting(undefined)).toBe('ImplicitDeny');
  });
});

describe('an unknown or invalid document', () => {
  const Principal = { Federated: federated };
  const good: Statement = { Effect: 'Allow', Principal, Action: 'sts:AssumeRoleWithWebIdentity' };
  it.each<[string, object]>([
    ['another version', { Version: '2020-01-01', Statement: good }],
    ['no statement', { Statement: [] }],
    ['another effect', { Statement: { ...good, Effect: 'Perhaps' } }],
    ['no action', { Statement: { Effect: 'Allow', Principal } }],
    ['no principal', { Statement: { Effect: 'Allow', Action: 'sts:*' } }],
    ['NotPrincipal', { Statement: { ...good, NotPrincipal: Principal } }],
    ['a resource in a trust policy', { Statement: { ...good, Resource: '*' } }],
    ['an unknown operator', { Statement: { ...good, Condition: { StringMatches: { 'a:b': 'c' } } } }],
    ['an operator that is not offered here', { Statement: { ...good, Condition: { NumericEquals: { 'a:b': '1' } } } }],
    ...['', 'tomorrow', '2026-01-02 03:04:05', '2026-13-01T00:00:00Z', '2026-01-02T03:04:05', '*'].map(
      (date): [string, object] => [
        `the date "${date}"`,
        { Statement: { ...good, Condition: { DateLessThan: { 'aws:TokenIssueTime': date } } } },
      ],
    ),
    ['a name of JavaScript', { Statement: { ...good, Condition: { toString: { 'a:b': 'c' } } } }],
    ['NullIfExists', { Statement: { ...good, Condition: { NullIfExists: { 'a:b': 'true' } } } }],
    ['a key without a prefix', { Statement: { ...good, Condition: { StringEquals: { sub: 'c' } } } }],
  ])('is refused: %s', (_name, document) => {
    expect(() => validatePolicy(document as PolicyDocument, 'trust')).toThrow(
      expect.objectContaining({ code: 'MalformedPolicyDocument' }),
    );
  });

  it('is refused among permissions: a principal, or no resource', () => {
    const allow = { Effect: 'Allow' as const, Action: '*' };
    expect(() => validatePolicy({ Statement: { ...allow, Resource: '*', Principal } }, 'permission')).toThrow();
    expect(() => validatePolicy({ Statement: allow }, 'permission')).toThrow();
    expect(() => validatePolicy({ Statement: { ...allow, Resource: '*' } }, 'permission')).not.toThrow();
  });
});
