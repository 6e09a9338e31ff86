import { hclText, jsonencode } from '../hcl.ts';
import { denyPolicy, isoSeconds, policyName, shortName } from './policy.ts';
import { accountsOf, type Revocation } from './revocation.ts';

/** A Terraform configuration (HCL) for roles of one account, as `terraform fmt` would leave it. */
export function terraform(revocation: Revocation): string {
  const { email, issuedBefore, deletableAt, roles } = revocation;
  const names = new Set(roles.map(({ name }) => hclText(name)));
  return `# For AWS account ${accountsOf(revocation)}. Made by vouch-server aws-revoke, for version 5.100 of the AWS provider or newer.
# Denies ${email} all that AWS issued before ${isoSeconds(issuedBefore)}. Remove it after ${isoSeconds(deletableAt)}.
resource "aws_iam_role_policy" "vouch_revoke_${shortName(email)}" {
  for_each = toset([${[...names].join(', ')}])
  name     = ${hclText(policyName(email))}
  role     = each.value
  policy = ${jsonencode(denyPolicy(revocation))}
}
`;
}
