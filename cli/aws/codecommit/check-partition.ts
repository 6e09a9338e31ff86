import { Problem } from '../../problem/problem.ts';
import type { RoleArn } from '../role-arn.ts';
import type { CodeCommitHost } from './hosts.ts';

/**
 * Makes sure that a profile's role and a repository's host are in one partition, because credentials are valid in only one.
 *
 * @throws Problem `partition`
 */
export function checkPartition(
  { name, role }: { name: string; role: RoleArn },
  { host, region, partition }: CodeCommitHost,
): void {
  if (role.partition.id === partition.id) return;
  throw new Problem({
    kind: 'partition',
    what: `The role of profile "${name}" cannot open a repository in ${region}.`,
    why: `${role.arn} is in the partition ${role.partition.id}, and ${host} in ${partition.id}.`,
    fix: `Set up a role in ${partition.id}: \`vouch setup aws\`.`,
  });
}
