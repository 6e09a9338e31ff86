import {
  type Document,
  description,
  permissionPolicy,
  permissionPolicyName,
  roleArn,
  trustPolicy,
} from './policies.ts';
import type { RoleTemplate } from './role-template.ts';

/**
 * A CloudFormation template, in JSON. It does not use `Fn::Sub`, which would replace the policy's `${…}`.
 */
export function cloudFormation(template: RoleTemplate): string {
  const provider: Document = {
    Type: 'AWS::IAM::OIDCProvider',
    Properties: { Url: template.issuer, ClientIdList: [template.audience] },
  };
  const role: Document = {
    Type: 'AWS::IAM::Role',
    ...(template.existingProvider ? {} : { DependsOn: 'VouchProvider' }),
    Properties: {
      RoleName: template.roleName,
      Description: description(template),
      MaxSessionDuration: template.maxSessionSeconds,
      AssumeRolePolicyDocument: trustPolicy(template),
      Policies: [{ PolicyName: permissionPolicyName, PolicyDocument: permissionPolicy(template) }],
    },
  };
  const document: Document = {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `Lets people who signed in at ${template.server} use CodeCommit (made by vouch-server aws-template)`,
    Resources: { ...(template.existingProvider ? {} : { VouchProvider: provider }), VouchRole: role },
    Outputs: { RoleArn: { Description: 'For vouch setup aws --role', Value: roleArn(template) } },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
