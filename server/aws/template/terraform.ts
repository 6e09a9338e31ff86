import { hclText, jsonencode } from '../hcl.ts';
import { description, permissionPolicy, permissionPolicyName, trustPolicy } from './policies.ts';
import type { RoleTemplate } from './role-template.ts';

/** A Terraform configuration (HCL), as `terraform fmt` would leave it. */
export function terraform(template: RoleTemplate): string {
  const provider = `resource "aws_iam_openid_connect_provider" "vouch" {
  url            = ${hclText(template.issuer)}
  client_id_list = [${hclText(template.audience)}]
}

`;
  const dependsOn = template.existingProvider ? '' : '\n  depends_on = [aws_iam_openid_connect_provider.vouch]\n';
  return `# For AWS account ${template.account}. Made by vouch-server aws-template, for version 5.100 of the AWS provider or newer.
${template.existingProvider ? '' : provider}resource "aws_iam_role" "vouch" {
  name                 = ${hclText(template.roleName)}
  description          = ${hclText(description(template))}
  max_session_duration = ${template.maxSessionSeconds}
  assume_role_policy = ${jsonencode(trustPolicy(template))}
${dependsOn}}

resource "aws_iam_role_policy" "vouch" {
  name = ${hclText(permissionPolicyName)}
  role = aws_iam_role.vouch.id
  policy = ${jsonencode(permissionPolicy(template))}
}

output "vouch_role_arn" {
  description = "For vouch setup aws --role"
  value       = aws_iam_role.vouch.arn
}
`;
}
