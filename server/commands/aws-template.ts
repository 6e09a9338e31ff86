import { type Command, Option } from 'commander';
import type { TemplateOptions } from '../aws/template/check.ts';
import type { Format } from '../aws/template/role-template.ts';
import { readAwsTrust } from '../config/config.ts';

/** `vouch-server aws-template` */
export function addAwsTemplate(program: Command): void {
  program
    .command('aws-template')
    .description("print the OIDC provider and the role that let people in: an AWS account's side of Vouch")
    .addOption(
      new Option('--format <format>', 'what to print')
        .choices(['cloudformation', 'terraform', 'cli'])
        .makeOptionMandatory(),
    )
    .requiredOption('--account <id>', 'the AWS account, 12 digits')
    .requiredOption('--domain <name...>', 'let in everybody with an address at this domain (repeat it for several)')
    .option('--repository <arn...>', 'a repository that they may pull and push (repeat it for several)')
    .option('--role <name>', "the role's name", 'VouchDeveloper')
    .option('--partition <id>', 'aws, aws-us-gov, aws-cn or aws-eusc', 'aws')
    .option(
      '--require-key-level <level>',
      'let in only keys with this FIDO certification level or a higher one: L1 to L3plus',
    )
    .option('--existing-provider', 'the account already has the OIDC provider: print only the role')
    .addHelpText(
      'after',
      `
VOUCH_ISSUER must be the server's own, and so must VOUCH_AWS_ISSUER, VOUCH_AWS_AUDIENCE and VOUCH_AWS_SESSION_MINUTES if they are set.
For example:
  vouch-server aws-template --format cloudformation \\
    --account 123456789012 --domain example.com \\
    --repository arn:aws:codecommit:us-east-1:123456789012:demo > vouch.json
  aws cloudformation deploy --stack-name vouch --template-file vouch.json \\
    --capabilities CAPABILITY_NAMED_IAM`,
    )
    .action(async ({ format, ...options }: TemplateOptions & { format: Format }) => {
      const { runAwsTemplate } = await import('./aws-template-output.ts');
      runAwsTemplate(readAwsTrust(process.env), format, options);
    });
}
