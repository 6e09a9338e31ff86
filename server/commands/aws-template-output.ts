import { type AwsTrust, checkTemplate, type TemplateOptions } from '../aws/template/check.ts';
import { cli } from '../aws/template/cli.ts';
import { cloudFormation } from '../aws/template/cloudformation.ts';
import { permissionPolicy, trustPolicy } from '../aws/template/policies.ts';
import type { Format, RoleTemplate } from '../aws/template/role-template.ts';
import { terraform } from '../aws/template/terraform.ts';

const formats = { cloudformation: cloudFormation, terraform, cli };

/** `vouch-server aws-template`: prints the template on standard output, and remarks on standard error. */
export function runAwsTemplate(trust: AwsTrust, format: Format, options: TemplateOptions): void {
  const template = checkTemplate(trust, options);
  for (const remark of remarks(template)) process.stderr.write(`vouch-server: ${remark}\n`);
  process.stdout.write(formats[format](template));
}

/** Warns of what can be printed but AWS will not accept. */
function remarks(template: RoleTemplate): string[] {
  const { hostname, port } = new URL(template.issuer);
  const found: string[] = [];
  if (hostname === 'localhost') {
    found.push(
      `AWS cannot reach ${template.issuer}: this is only for a local AWS. Set VOUCH_ISSUER (or VOUCH_AWS_ISSUER) to the public URL.`,
    );
  } else if (port !== '') {
    // IAM API reference, CreateOpenIDConnectProvider, Url: "The URL should not contain a port number."
    found.push(
      `AWS takes no issuer with a port, such as ${template.issuer}. Serve Vouch at port 443, or set VOUCH_AWS_ISSUER.`,
    );
  }
  // IAM user guide, "IAM and AWS STS quotas": white space is not counted.
  if (JSON.stringify(trustPolicy(template)).length > 2048) {
    found.push(
      'The trust policy is longer than the 2,048 characters of IAM’s default quota. Ask AWS for more, or make two roles.',
    );
  }
  if (JSON.stringify(permissionPolicy(template)).length > 10_240) {
    found.push(
      'The permissions are longer than the 10,240 characters IAM takes. Use patterns such as …:team-*, or make two roles.',
    );
  }
  return found;
}
