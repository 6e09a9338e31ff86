import { beforeEach, describe, expect, it } from 'vitest';
import { Account } from './accounts.ts';
import { createStack } from './cloudformation.ts';

const trust = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { Federated: 'arn:aws:iam::123456789012:oidc-provider/vouch.example.com' },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: { StringEquals: { 'sts:RoleSessionName': `\${vouch.example.com:sub}` } },
    },
  ],
};
const allow = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'codecommit:GitPull', Resource: '*' }] };
const provider = {
  Type: 'AWS::IAM::OIDCProvider',
  Properties: { Url: 'https://vouch.example.com', ClientIdList: ['one', 'two'] },
};
const roleProperties = {
  RoleName: 'Developer',
  AssumeRolePolicyDocument: trust,
  Policies: [{ PolicyName: 'Git', PolicyDocument: allow }],
};
const role = { Type: 'AWS::IAM::Role', DependsOn: 'Provider', Properties: roleProperties };
const template = (Resources: object, more: object = {}) =>
  JSON.stringify({ AWSTemplateFormatVersion: '2010-09-09', Resources, ...more });

let account: Account;
beforeEach(() => {
  account = new Account('123456789012');
});

describe('a stack', () => {
  it('makes the providers and roles of its template', () => {
    const [made] = createStack(account, template({ Role: role, Provider: provider }));
    expect(made?.arn).toBe('arn:aws:iam::123456789012:role/Developer');
    expect(account.role('Developer')).toMatchObject({
      trustPolicy: trust,
      permissionPolicies: [allow],
      maxSessionDuration: 3600,
    });
    expect(account.provider('https://vouch.example.com')?.clientIds).toEqual(['one', 'two']);
  });

  it('embeds policies in a role that is there already, and replaces them by their names', () => {
    createStack(account, template({ Role: role, Provider: provider }));
    const Properties = { RoleName: 'Developer', PolicyName: 'More', PolicyDocument: allow };
    createStack(account, template({ Policy: { Type: 'AWS::IAM::RolePolicy', Properties } }));
    const { id = '' } = account.role('Developer') ?? {};
    expect(account.policiesOf(id)).toEqual([allow, allow]);
    const deny = { ...allow, Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] };
    const changed = { ...Properties, PolicyDocument: deny };
    createStack(account, template({ Policy: { Type: 'AWS::IAM::RolePolicy', Properties: changed } }));
    expect(account.policiesOf(id)).toEqual([allow, deny]);
  });

  const withRole = (changes: object) => template({ Provider: provider, Role: { ...role, ...changes } });
  const withProperty = (changes: object) => withRole({ Properties: { ...roleProperties, ...changes } });
  it.each<[string, string, RegExp]>([
    ['no JSON', 'Resources:\n  Role:\n', /JSON not well-formed/],
    ['not an object', '[]', /the template is not an object/],
    ['no resources', '{}', /no Resources/],
    ['parameters', template({ Role: role, Provider: provider }, { Parameters: {} }), /Parameters/],
    ['another resource', template({ User: { Type: 'AWS::IAM::User', Properties: {} } }), /AWS::IAM::User/],
    ['a resource name with a hyphen', template({ 'my-role': role }), /alphanumeric/],
    ['an attribute that is not known', withRole({ Condition: 'IfProduction' }), /Condition/],
    ['a dependency on nothing', template({ Role: role }), /Unresolved resource dependencies \[Provider\]/],
    ['a property that is not known', withProperty({ PermissionsBoundary: 'x' }), /PermissionsBoundary/],
    ['a role without a name', withProperty({ RoleName: undefined }), /RoleName/],
    ['a function', withProperty({ RoleName: { 'Fn::Sub': 'x' } }), /Fn::Sub/],
    [
      'a function deep inside',
      withProperty({ Policies: [{ PolicyName: { Ref: 'X' }, PolicyDocument: allow }] }),
      /Ref/,
    ],
    [
      'a policy for a role that does not exist',
      template({
        Policy: {
          Type: 'AWS::IAM::RolePolicy',
          Properties: { RoleName: 'Developer', PolicyName: 'More', PolicyDocument: allow },
        },
      }),
      /The role with name Developer cannot be found/,
    ],
    ['a policy that IAM refuses', withProperty({ AssumeRolePolicyDocument: allow }), /Principal/],
  ])('is refused: %s', (_name, text, message) => {
    expect(() => createStack(account, text)).toThrow(
      expect.objectContaining({ name: 'AwsError', message: expect.stringMatching(message) }),
    );
    expect(account.role('Developer')).toBeUndefined();
  });
});
