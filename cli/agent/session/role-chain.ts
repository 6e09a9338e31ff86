import type { VouchProfile } from '../../aws/config/profiles.ts';
import { Problem } from '../../problem/problem.ts';

/** A role, and how to assume it: with an ID token, or through the role of its `source`. Every VouchProfile is a RoleChain. */
export interface RoleChain extends Pick<VouchProfile, 'role' | 'externalId' | 'roleSessionName' | 'durationSeconds'> {
  source?: RoleChain;
  /** The session policy that fences the credentials (aws/codecommit/session-policy.ts). */
  policy?: string;
}

/** The roles from the last one to the first. */
function* hops(chain: RoleChain): Generator<RoleChain> {
  for (let hop: RoleChain | undefined = chain; hop !== undefined; hop = hop.source) yield hop;
}

/**
 * Makes sure that a chain of roles stays in one partition: credentials are valid in only one.
 *
 * @throws Problem `partition`
 */
export function checkPartitions(chain: RoleChain): void {
  const { arn, partition } = chain.role;
  const other = [...hops(chain)].find(({ role }) => role.partition.id !== partition.id)?.role.partition;
  if (other === undefined) return;
  throw new Problem({
    kind: 'partition',
    what: `The role ${arn} cannot be assumed through a role of another partition.`,
    why: `It is in the partition ${partition.id}, and its source_profile leads to one in ${other.id}.`,
    fix: 'Name a source_profile of the same partition in your AWS config.',
  });
}

/** The name of the last role, as AWS's console shows it. */
export function nameOfRole({ role }: RoleChain): string {
  return role.arn.slice(role.arn.lastIndexOf('/') + 1);
}

/** The cache key of a chain's credentials: everything that we send to AWS for them, except the region. */
export function keyOf(chain: RoleChain): string {
  return JSON.stringify(
    [...hops(chain)].map(({ role, externalId, roleSessionName, durationSeconds, policy }) => [
      role.arn,
      externalId ?? null,
      roleSessionName ?? null,
      durationSeconds ?? null,
      policy ?? null,
    ]),
  );
}
