import type { Config } from '../../config/config.ts';
import { isLevel, LEVELS, type Level } from '../../fido-metadata/levels.ts';
import { isDomain } from '../../network/domain.ts';
import { Problem } from '../../problem/problem.ts';
import { shown } from '../../text/shown.ts';
import { checkAccount } from '../check-account.ts';
import { roleMaximum } from '../lifetimes.ts';
import { partitions, type RoleTemplate } from './role-template.ts';

/** The server's settings that AWS must know. */
export type AwsTrust = Pick<Config, 'issuer' | 'awsIssuer' | 'awsAudience' | 'awsSessionSeconds'>;

/** The options of the command line, as they were written. */
export interface TemplateOptions {
  account: string;
  domain: readonly string[];
  role: string;
  repository?: readonly string[];
  partition: string;
  existingProvider?: boolean;
  requireKeyLevel?: string;
}

/**
 * Checks the options. All of them go into policies, where one wrong character could admit the wrong people.
 *
 * @throws Problem `option-refused` for the first option that is missing or wrong
 */
export function checkTemplate(trust: AwsTrust, options: TemplateOptions): RoleTemplate {
  const partition = partitions.find((known) => known === options.partition);
  if (partition === undefined) {
    throw new Problem({
      kind: 'option-refused',
      what: `--partition ${shown(options.partition)} is not known.`,
      why: 'It is the second part of every ARN of the account.',
      fix: `Give one of ${partitions.join(', ')}.`,
    });
  }
  checkAccount(options.account);
  if (!/^[\w+=,.@-]{1,64}$/.test(options.role)) {
    throw new Problem({
      kind: 'option-refused',
      what: `--role ${shown(options.role)} cannot be a role's name.`,
      why: 'IAM takes 1 to 64 letters, digits and _+=,.@- (the name alone, not the ARN).',
      fix: 'Give a name such as VouchDeveloper.',
    });
  }
  const { repository = [], existingProvider = false } = options;
  if (repository.length === 0) {
    throw new Problem({
      kind: 'option-refused',
      what: 'No repository was named.',
      why: 'The role may pull and push what is named here, and nothing else.',
      fix: `Give --repository ${repositoryArn(partition, options.account, 'us-east-1', 'NAME')}, or for all of the account's --repository '${repositoryArn(partition, options.account, '*', '*')}'.`,
    });
  }
  return {
    server: trust.issuer,
    issuer: trust.awsIssuer,
    audience: trust.awsAudience,
    partition,
    account: options.account,
    roleName: options.role,
    domains: unique(options.domain.map(checkDomain)),
    repositories: unique(repository.map((arn) => checkRepository(arn, partition, options.account))),
    existingProvider,
    keyLevel: checkLevel(options.requireKeyLevel),
    maxSessionSeconds: roleMaximum(trust.awsSessionSeconds),
  };
}

function checkLevel(level: string | undefined): Level | undefined {
  if (level === undefined || isLevel(level)) return level;
  throw new Problem({
    kind: 'option-refused',
    what: `--require-key-level ${shown(level)} is not one of FIDO's certification levels.`,
    why: 'AWS compares the level with that in the token, letter by letter.',
    fix: `Give one of ${LEVELS.join(', ')}.`,
  });
}

/** Returns the domain in lower case, like the server's e-mail addresses. */
function checkDomain(domain: string): string {
  // ASCII is checked before lower-casing, which turns some other letters into plain ones (K, U+212A).
  if (!/^[\x21-\x7e]+$/.test(domain) || !isDomain(domain.toLowerCase())) {
    throw new Problem({
      kind: 'option-refused',
      what: `--domain ${shown(domain)} is not a domain.`,
      why: 'The role lets in everybody with an address there, so it must be exact: no @, no *, no dot at the end.',
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
      why: 'The role may use whatever this pattern matches, so it must be exact.',
      fix,
    });
  }
  if (match.groups.partition !== partition || match.groups.account !== account) {
    throw new Problem({
      kind: 'option-refused',
      what: `--repository ${shown(arn)} is not of account ${account} in partition ${partition}.`,
      why: 'CodeCommit has no resource policies: a role reaches only the repositories of its own account.',
      fix: `Print another template for that account. ${fix}`,
    });
  }
  return arn;
}

const repositoryArn = (partition: string, account: string, region: string, name: string) =>
  `arn:${partition}:codecommit:${region}:${account}:${name}`;

const unique = (values: readonly string[]) => [...new Set(values)];
