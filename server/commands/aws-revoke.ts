import { type Command, Option } from 'commander';
import { audit } from '../audit/audit.ts';
import { awsCredentialsUntil } from '../aws/outstanding.ts';
import { cli } from '../aws/revoke/cli.ts';
import { cloudFormation } from '../aws/revoke/cloudformation.ts';
import { denyPolicy, policyName, shortName } from '../aws/revoke/policy.ts';
import { accountsOf, findRevocation, ofAccount, type Revocation } from '../aws/revoke/revocation.ts';
import { terraform } from '../aws/revoke/terraform.ts';
import type { Format } from '../aws/template/role-template.ts';
import { normalizeEmail } from '../people/email.ts';
import { findPerson } from '../people/people.ts';
import { Problem } from '../problem/problem.ts';
import { isShutOut } from '../store/shut-out.ts';
import type { Store } from '../store/store.ts';
import { isoTime } from '../text/iso-time.ts';
import { clockTime } from '../text/time.ts';
import { administer, printJson } from './administer.ts';

const formats = { cli, cloudformation: cloudFormation, terraform };

interface RevokeOptions {
  format: Format;
  account?: string;
  role?: string[];
  json?: boolean;
}

/** `vouch-server aws-revoke`: prints what denies a person the AWS credentials that they have. It calls no AWS. */
export function addAwsRevoke(program: Command): void {
  program
    .command('aws-revoke')
    .description('print what ends the AWS credentials that a person has already got, for you to run')
    .argument('<email>', "the person's address; they may have been removed")
    .addOption(
      new Option('--format <format>', 'what to print').choices(['cli', 'cloudformation', 'terraform']).default('cli'),
    )
    .option('--account <id>', 'only the roles of this AWS account, 12 digits')
    .option('--role <arn...>', 'another role to deny: one that is assumed through theirs (repeat it for several)')
    .addOption(new Option('--json', 'print the roles and the policy as JSON').conflicts('format'))
    .addHelpText(
      'after',
      `
Shut the person out first, for example with vouch-server people disable. Then:
  vouch-server aws-revoke alice@example.com > revoke.sh
  sh revoke.sh`,
    )
    .action(runAwsRevoke);
}

async function runAwsRevoke(address: string, options: RevokeOptions): Promise<void> {
  const email = normalizeEmail(address);
  await administer(async ({ store, installation, by }) => {
    const now = Date.now();
    const all = await findRevocation(store, email, options.role ?? [], now);
    const person = await findPerson(store, email);
    const known = person !== undefined || (await hasHistory(store, email));
    if (!known) {
      // It refuses the address, and suggests another.
      const { knownPerson } = await import('../people/known-person.ts');
      await knownPerson(store, email);
    }
    const revocation = ofAccount(all, options.account);
    if (options.json) {
      const until = await awsCredentialsUntil(store, { email }, installation.awsSessionSeconds, now);
      printJson({ ...asJson(revocation), awsCredentialsUntil: isoTime(until) });
    } else if (revocation.roles.length === 0) {
      remark(`Nothing to deny: ${email} had no token for AWS in the last 12 hours.`);
    } else {
      checkOneAccount(revocation, options.format);
      process.stdout.write(formats[options.format](revocation));
      const others = accountsOf(all).filter((account) => !accountsOf(revocation).includes(account));
      for (const line of remarks(revocation, options, others, now)) remark(line);
    }
    if (person !== undefined && !isShutOut(person, now) && !options.json) {
      remark(
        `${email} can still sign in and get new credentials. If they must not: vouch-server people disable ${email}`,
      );
    }
    if (revocation.roles.length === 0) return;
    await store.transaction().execute((transaction) =>
      audit(transaction, now, {
        ...by,
        event: 'aws-deny-printed',
        subject: email,
        detail: { issuedBefore: isoTime(revocation.issuedBefore), roles: revocation.roles.length },
      }),
    );
  });
}

/** CloudFormation and Terraform work in one account at a time; the script for the AWS CLI looks which one it is in. */
function checkOneAccount(revocation: Revocation, format: Format): void {
  const accounts = accountsOf(revocation);
  if (format === 'cli' || accounts.length === 1) return;
  throw new Problem({
    kind: 'option-refused',
    what: `The roles are of ${accounts.length} AWS accounts, and ${format} works in one at a time.`,
    why: `They are of ${accounts.join(', ')}.`,
    fix: 'Print it for each, with --account.',
  });
}

/** What the administrator should know beside the document. */
function remarks(revocation: Revocation, { format, role }: RevokeOptions, others: string[], now: number): string[] {
  const { email, issuedBefore, deletableAt } = revocation;
  const run = {
    cli: 'sh FILE',
    cloudformation: `aws cloudformation deploy --stack-name vouch-revoke-${shortName(email)} --template-file FILE --capabilities CAPABILITY_IAM --disable-rollback`,
    terraform: 'terraform apply',
  };
  return [
    `Run it now (AWS may take a few minutes to obey): ${run[format]}`,
    `It ends all credentials that AWS issues to ${email} before ${clockTime(issuedBefore, now)}, because AWS takes tokens that are out until then. Credentials issued later work.`,
    `You may delete the policy ${policyName(email)} after ${clockTime(deletableAt, now)}.`,
    ...(others.length > 0 ? [`Roles of ${others.join(', ')} are not in it: print them with --account too.`] : []),
    ...(role === undefined ? ['It does not reach roles that are assumed through these. Add those with --role.'] : []),
  ];
}

function asJson(revocation: Revocation) {
  const { email, issuedBefore, deletableAt, roles } = revocation;
  return {
    email,
    issuedBefore: isoTime(issuedBefore),
    deletableAt: isoTime(deletableAt),
    policyName: policyName(email),
    policy: denyPolicy(revocation),
    roles: roles.map(({ lastTokenAt, ...role }) => ({
      ...role,
      lastTokenAt: isoTime(lastTokenAt),
    })),
  };
}

/** Whether the audit trail has the address at all: it may be a person's who was removed. */
async function hasHistory(store: Store, email: string): Promise<boolean> {
  const row = await store.selectFrom('audit').select('id').where('subject', '=', email).limit(1).executeTakeFirst();
  return row !== undefined;
}

/** Standard output has nothing but what is to be run. */
function remark(text: string): void {
  process.stderr.write(`vouch-server: ${text}\n`);
}
