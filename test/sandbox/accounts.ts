import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account, Role } from '../aws/accounts.ts';
import { firstRegion } from '../aws/hosts.ts';
import type { LocalAws } from '../aws/start.ts';
import { makeDeveloperRole } from './role.ts';

/** What every sandbox begins with, and what further accounts have unless told. */
export const REPOSITORY = 'demo';

export interface DeveloperAccountOptions {
  /** The first region of the account's partition unless given. */
  region?: string;
  /** The repository that the role may use. */
  repository?: string;
  /** What the repository begins with, as one commit; it is empty unless given. */
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
 * Does in an account what the administrator does: makes the identity provider, the role, and a repository.
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
 * Makes a role that another one leads to: it trusts that one and the tags and the source identity that come along, and
 * may pull and push every repository of its account; and that one may assume it.
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
 * Writes a profile into the AWS configuration of a home, as a person would with an editor: role chaining has
 * `role_arn` and `source_profile`.
 */
export async function addProfile(home: string, name: string, settings: Record<string, string>): Promise<void> {
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
  await mkdir(join(home, '.aws'), { recursive: true, mode: 0o700 });
  await appendFile(join(home, '.aws/config'), `\n[profile ${name}]\n${lines.join('')}`, { mode: 0o600 });
}

/** Takes out of the AWS configuration of a home which profile is the default: as where profiles were written with an editor. */
export async function forgetDefault(home: string): Promise<void> {
  const file = join(home, '.aws/config');
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll('vouch_default = true\n', ''));
}
