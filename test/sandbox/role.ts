import type { Account, Role } from '../aws/accounts.ts';
import { createStack } from '../aws/cloudformation.ts';
import { succeed } from '../support/run.ts';

/**
 * Follows docs/aws.md as an account's administrator would: creates the OIDC provider and the role that
 * `vouch-server aws-template` prints.
 *
 * @param env the server's settings, and a PATH that has vouch-server
 * @param repositories ARNs; every repository of the account by default
 */
export async function makeDeveloperRole(
  account: Account,
  env: Record<string, string>,
  repositories: readonly string[] = [`arn:${account.partition}:codecommit:*:${account.id}:*`],
): Promise<Role> {
  const printed = await succeed(
    'vouch-server',
    [
      ...['aws-template', '--format', 'cloudformation', '--account', account.id, '--partition', account.partition],
      ...['--domain', 'example.com', '--repository', ...repositories],
    ],
    { env },
  );
  const [role] = createStack(account, printed.stdout);
  if (role === undefined) throw new Error('vouch-server aws-template printed no role');
  return role;
}
