import { type Document, description, permissionPolicy, permissionPolicyName, trustPolicy } from './policies.ts';
import type { RoleTemplate } from './role-template.ts';

/** A Terraform configuration (HCL), as `terraform fmt` would leave it. */
export function terraform(template: RoleTemplate): string {
  const provider = `resource "aws_iam_openid_connect_provider" "vouch" {
  url            = ${text(template.issuer)}
  client_id_list = [${text(template.audience)}]
}

`;
  const dependsOn = template.existingProvider ? '' : '\n  depends_on = [aws_iam_openid_connect_provider.vouch]\n';
  return `# For AWS account ${template.account}. Made by vouch-server aws-template, for version 5.100 of the AWS provider or newer.
${template.existingProvider ? '' : provider}resource "aws_iam_role" "vouch" {
  name                 = ${text(template.roleName)}
  description          = ${text(description(template))}
  max_session_duration = ${template.maxSessionSeconds}
  assume_role_policy = ${jsonencode(trustPolicy(template))}
${dependsOn}}

resource "aws_iam_role_policy" "vouch" {
  name = ${text(permissionPolicyName)}
  role = aws_iam_role.vouch.id
  policy = ${jsonencode(permissionPolicy(template))}
}

output "vouch_role_arn" {
  description = "For vouch setup aws --role"
  value       = aws_iam_role.vouch.arn
}
`;
}

/** A quoted string. HCL understands JSON's escapes, but `${` and `%{` would begin a template ("Strings and Templates"). */
const text = (value: string) => inHcl(JSON.stringify(value));

/** A document as an object expression, which JSON is once its strings are HCL's. */
function jsonencode(document: Document): string {
  const json = JSON.stringify(document, null, 2).replace(/^( *"(?:[^"\\]|\\.)*"):/gm, '$1 :');
  return `jsonencode(${inHcl(json).replaceAll('\n', '\n  ')})`;
}

const inHcl = (json: string) => json.replace(/[$%](?=\{)/g, (sign) => sign + sign);
