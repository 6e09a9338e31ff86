import { shellWord } from '../shell-word.ts';
import { type Document, description, permissionPolicy, permissionPolicyName, trustPolicy } from './policies.ts';
import type { RoleTemplate } from './role-template.ts';

/** A shell script of AWS CLI commands. It changes only the template's account. */
export function cli(template: RoleTemplate): string {
  // The audience is written as JSON: version 1 of the AWS CLI would fetch a plain https:// value and use the result.
  const provider = `
aws iam create-open-id-connect-provider \\
  --url ${shellWord(template.issuer)} \\
  --client-id-list ${shellWord(JSON.stringify([template.audience]))} \\
  --query OpenIDConnectProviderArn --output text
`;
  return `#!/bin/sh
# For AWS account ${template.account}. Made by vouch-server aws-template; runs with the AWS CLI's own credentials.
set -eu
export AWS_PAGER=

account=$(aws sts get-caller-identity --query Account --output text)
if [ "$account" != ${template.account} ]; then
  echo "The AWS CLI's credentials are for account $account, not for ${template.account}. Nothing was changed." >&2
  exit 1
fi

trust_policy=${document(trustPolicy(template))}

permission_policy=${document(permissionPolicy(template))}
${template.existingProvider ? '' : provider}
aws iam create-role \\
  --role-name=${shellWord(template.roleName)} \\
  --description ${shellWord(description(template))} \\
  --max-session-duration ${template.maxSessionSeconds} \\
  --assume-role-policy-document "$trust_policy" \\
  --query Role.Arn --output text

aws iam put-role-policy \\
  --role-name=${shellWord(template.roleName)} \\
  --policy-name ${shellWord(permissionPolicyName)} \\
  --policy-document "$permission_policy"
`;
}

const document = (policy: Document) => shellWord(JSON.stringify(policy, null, 2));
