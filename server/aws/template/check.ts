import { UsageError } from '../../usage-error.ts';
import { partitions, type RoleTemplate } from './role-template.ts';

/** What was asked for on the command line, as it was written. */
export interface Wanted {
  account: string;
  domain: readonly string[];
  role: string;
  repository?: readonly string[];
  partition: string;
  existingProvider?: boolean;
}

/**
 * Checks what was asked for: all of it goes into policies, where a character too many would let in others than meant.
 *
 * @throws UsageError for the first thing that is missing or wrong
 */
export function checkTemplate(trust: { issuer: string; awsAudience: string }, wanted: Wanted): RoleTemplate {
  const partition = partitions.find((known) => known === wanted.partition);
  if (partition === undefined) {
    throw new UsageError(
      `--partition ${shown(wanted.partition)} is not known.`,
      'It is the second part of every ARN of the account.',
      `Give one of ${partitions.join(', ')}.`,
    );
  }
  if (!/^\d{12}$/.test(wanted.account)) {
    throw new UsageError(
      `--account ${shown(wanted.account)} is not an AWS account's number.`,
      'It has 12 digits, without hyphens.',
      'See it with: aws sts get-caller-identity --query Account --output text',
    );
  }
  if (!/^[\w+=,.@-]{1,64}$/.test(wanted.role)) {
    throw new UsageError(
      `--role ${shown(wanted.role)} cannot be a role's name.`,
      'IAM takes 1 to 64 letters, digits and _+=,.@- (the name alone, not the ARN).',
      'Give a name such as VouchDeveloper.',
    );
  }
  const { repository = [], existingProvider = false } = wanted;
  if (repository.length === 0) {
    throw new UsageError(
      'No repository was named.',
      'The role may pull and push what is named here, and nothing else.',
      `Give --repository ${repositoryArn(partition, wanted.account, 'us-east-1', 'NAME')}, or for all of the account's --repository '${repositoryArn(partition, wanted.account, '*', '*')}'.`,
    );
  }
  return {
    issuer: trust.issuer,
    audience: trust.awsAudience,
    partition,
    account: wanted.account,
    roleName: wanted.role,
    domains: unique(wanted.domain.map(checkDomain)),
    repositories: unique(repository.map((arn) => checkRepository(arn, partition, wanted.account))),
    existingProvider,
  };
}

/** A DNS name of at least two labels (RFC 1123, section 2.1), in lower case as the server's addresses are. */
function checkDomain(domain: string): string {
  const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
  // Checked before it is brought to lower case, which makes plain letters of some that are none (K, U+212A).
  if (!new RegExp(`^(?:${label}\\.)+${label}$`).test(domain) || domain.length > 253) {
    throw new UsageError(
      `--domain ${shown(domain)} is not a domain.`,
      'Whoever has an address there is let in, so it is taken exactly: no @, no *, no dot at the end.',
      'Give what stands behind the @ of the addresses, such as example.com; repeat --domain for others.',
    );
  }
  return domain.toLowerCase();
}

/**
 * A repository's ARN, or a pattern of several (CodeCommit user guide, "CodeCommit resources and operations"; names have 1
 * to 100 letters, digits and ._- and do not end in .git).
 */
function checkRepository(arn: string, partition: string, account: string): string {
  const match = /^arn:(?<partition>[a-z-]+):codecommit:[a-z0-9*?-]+:(?<account>\d{12}):(?<name>[\w.*?-]{1,100})$/.exec(
    arn,
  );
  const fix = `It looks like ${repositoryArn(partition, account, 'us-east-1', 'NAME')}; '*' stands for any region or name.`;
  if (match?.groups === undefined || match.groups.name?.endsWith('.git')) {
    throw new UsageError(
      `--repository ${shown(arn)} is not the ARN of a CodeCommit repository.`,
      'The role may do what this pattern matches, so it is taken exactly.',
      fix,
    );
  }
  if (match.groups.partition !== partition || match.groups.account !== account) {
    throw new UsageError(
      `--repository ${shown(arn)} is not of account ${account} in partition ${partition}.`,
      'CodeCommit has no resource policies: a role reaches the repositories of its own account alone.',
      `Print a template of its own for that account. ${fix}`,
    );
  }
  return arn;
}

const repositoryArn = (partition: string, account: string, region: string, name: string) =>
  `arn:${partition}:codecommit:${region}:${account}:${name}`;

const unique = (values: readonly string[]) => [...new Set(values)];

/** What somebody typed, as one bounded line that cannot steer a terminal. */
const shown = (value: string) =>
  JSON.stringify(value.slice(0, 100)).replace(/[^\x20-\x7e]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
