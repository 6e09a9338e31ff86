import type { Document } from '../template/policies.ts';
import { denyPolicy, isoSeconds, policyName, shortName } from './policy.ts';
import type { Revocation } from './revocation.ts';

/**
 * A CloudFormation template, in JSON, for roles of one account. Each role has a resource of its own, whose name stays the same when the
 * template is printed again.
 */
export function cloudFormation(revocation: Revocation): string {
  const { email, issuedBefore, deletableAt, roles } = revocation;
  const policy = ({ name }: Revocation['roles'][number]): [string, Document] => [
    `Role${shortName(name)}`,
    {
      Type: 'AWS::IAM::RolePolicy',
      Properties: { RoleName: name, PolicyName: policyName(email), PolicyDocument: denyPolicy(revocation) },
    },
  ];
  const document: Document = {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `Denies ${email} all that AWS issued before ${isoSeconds(issuedBefore)}; delete the stack after ${isoSeconds(deletableAt)} (made by vouch-server aws-revoke)`,
    Resources: Object.fromEntries(roles.map(policy)),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
