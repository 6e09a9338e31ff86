import { isDomain } from '../../network/domain.ts';
import { Problem } from '../../problem/problem.ts';
import { partitions, type RoleTemplate } from './role-template.ts';

/** What was asked for on the command line, as it was written. */
export interface TemplateOptions {
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
 * @throws Problem `option-refused` for the first thing that is missing or wrong
 */
export function checkTemplate(trust: { issuer: string; awsAudience: string }, wanted: TemplateOptions): RoleTemplate {
  const partition = partitions.find((known) => known === wanted.partition);
  if (partition === undefined) {
    throw new Problem({
      kind: 'option-refused',
      what: `--partition ${shown(wanted.partition)} is not known.`,
      why: 'It is the second part of every ARN of the account.',
      fix: `Give one of ${partitions.join(', ')}.`,
    });
  }
  if (!/^\d{12}$/.test(wanted.account)) {
    throw new Problem({
      kind: 'option-refused',
      what: `--account ${shown(wanted.account)} is not an AWS account's number.`,
      why: 'It has 12 digits, without hyphens.',
      fix: 'See it with: aws sts get-caller-identity --query Account --output text',
    });
  }
  if (!/^[\w+=,.@-]{1,64}$/.test(wanted.role)) {
    throw new Problem({
      kind: 'option-refused',
      what: `--role ${shown(wanted.role)} cannot be a role's name.`,
      why: 'IAM takes 1 to 64 letters, digits and _+=,.@- (the name alone, not the ARN).',
      fix: 'Give a name such as VouchDeveloper.',
    });
  }
  const { repository = [], existingProvider = false } = wanted;
  if (repository.length === 0) {
    throw new Problem({
      kind: 'option-refused',
      what: 'No repository was named.',
      why: 'The role may pull and push what is named here, and nothing else.',
      fix: `Give --repository ${repositoryArn(partition, wanted.account, 'us-east-1', 'NAME')}, or for all of the account's --repository '${repositoryArn(partition, wanted.account, '*', '*')}'.`,
    });
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

/** A domain in lower case, as the server's addresses are. */
function checkDomain(domain: string): string {
  // ASCII before it is brought to lower case, which makes plain letters of some that are none (K, U+212A).
  if (!/^[\x21-\x7e]+$/.test(domain) || !isDomain(domain.toLowerCase())) {
    throw new Problem({
      kind: 'option-refused',
      what: `--domain ${shown(domain)} is not a domain.`,
      why: 'Whoever has an address there is let in, so it is taken exactly: no @, no *, no dot at the end.',
      fix: 'Give what stands behind the @ of the addresses, such as example.com; repeat --domain for others.',
    });
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
    throw new Problem({
      kind: 'option-refused',
      what: `--repository ${shown(arn)} is not the ARN of a CodeCommit repository.`,
      why: 'The role may do what this pattern matches, so it is taken exactly.',
      fix,
    });
  }
  if (match.groups.partition !== partition || match.groups.account !== account) {
    throw new Problem({
      kind: 'option-refused',
      what: `--repository ${shown(arn)} is not of account ${account} in partition ${partition}.`,
      why: 'CodeCommit has no resource policies: a role reaches the repositories of its own account alone.',
      fix: `Print a template of its own for that account. ${fix}`,
    });
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
