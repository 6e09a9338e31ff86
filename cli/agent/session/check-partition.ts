import type { CodeCommitHost } from '../../aws/codecommit/hosts.ts';
import type { VouchProfile } from '../../aws/config/profiles.ts';
import { Problem } from '../../problem/problem.ts';
import { partitionsOf, type RoleChain } from './role-chain.ts';

/**
 * Makes sure that a profile's role can be of use to a host.
 *
 * @throws Problem `partition`
 */
export function checkPartition({ name, role }: VouchProfile, { host, region, partition }: CodeCommitHost): void {
  if (role.partition.id === partition.id) return;
  throw new Problem({
    kind: 'partition',
    what: `The role of profile "${name}" cannot open a repository in ${region}.`,
    why: `${role.arn} is of the partition ${role.partition.id}, and ${host} of ${partition.id}.`,
    fix: `Set up a role of ${partition.id}: \`vouch setup aws\`.`,
  });
}

/**
 * Makes sure that a chain of roles stays in one partition: no credentials are good in two.
 *
 * @throws Problem `partition`
 */
export function checkChain(chain: RoleChain): void {
  const other = partitionsOf(chain).find(({ id }) => id !== chain.role.partition.id);
  if (other === undefined) return;
  throw new Problem({
    kind: 'partition',
    what: `The role ${chain.role.arn} cannot be assumed through a role of another partition.`,
    why: `It is of the partition ${chain.role.partition.id}, and its source_profile leads to one of ${other.id}.`,
    fix: 'Name a source_profile of the same partition in your AWS config.',
  });
}
