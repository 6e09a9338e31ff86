import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account, Role } from '../aws/accounts.ts';
import { firstRegion } from '../aws/hosts.ts';
import type { LocalAws } from '../aws/start.ts';
import { makeDeveloperRole } from './role.ts';

/** The name of the sandbox's repository, and the default in further accounts. */
export const REPOSITORY = 'demo';

export interface DeveloperAccountOptions {
  /** The first region of the account's partition by default. */
  region?: string;
  /** The repository that the role may use. */
  repository?: string;
  /** The files of the repository's first commit; without them it is empty. */
  files?: Record<string, string>;
}

/** An account whose role trusts the identity server, and a repository that the role may use. */
export interface DeveloperAccount {
  account: Account;
  role: Role;
  region: string;
  repositoryUrl: string;
}

/**
 * Does what an account's administrator does: creates the identity provider, the role, and a repository.
 *
 * @param env the server's settings, and a PATH that has vouch-server
 */
export async function openAccount(
  aws: LocalAws,
  account: Account,
  env: Record<string, string>,
  { region = firstRegion(account.partition), repository: name = REPOSITORY, files }: DeveloperAccountOptions = {},
): Promise<DeveloperAccount> {
  const role = await makeDeveloperRole(account, env, [
    `arn:${account.partition}:codecommit:${region}:${account.id}:${name}`,
  ]);
  const repository = await aws.createRepository({ name, region, account: account.id, ...(files && { files }) });
  return { account, role, region, repositoryUrl: repository.url };
}

/**
 * Creates a role that the source account's role may assume. It trusts that role, its tags and its source identity, and may pull
 * and push every repository of its account.
 */
export function addChainedRole(source: DeveloperAccount, account: Account, name: string): Role {
  const actions = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'];
  const role = account.addRole({
    name,
    trustPolicy: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: source.role.arn }, Action: actions }],
    },
    permissionPolicies: [
      {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: ['codecommit:GitPull', 'codecommit:GitPush'],
            Resource: `arn:${account.partition}:codecommit:*:${account.id}:*`,
          },
        ],
      },
    ],
  });
  source.account.setPolicies(source.role.name, {
    permissionPolicies: [
      ...source.role.permissionPolicies,
      { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: role.arn }] },
    ],
  });
  return role;
}

/**
 * Adds a profile to the AWS configuration in a home, as a person would with an editor. A chained role has `role_arn` and
 * `source_profile`.
 */
export async function addProfile(home: string, name: string, settings: Record<string, string>): Promise<void> {
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
  await mkdir(join(home, '.aws'), { recursive: true, mode: 0o700 });
  await appendFile(join(home, '.aws/config'), `\n[profile ${name}]\n${lines.join('')}`, { mode: 0o600 });
}

/** Removes the default profile's mark from the AWS configuration in a home, as if a person had written the profiles. */
export async function forgetDefault(home: string): Promise<void> {
  const file = join(home, '.aws/config');
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll('vouch_default = true\n', ''));
}
