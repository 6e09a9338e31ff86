import type { VouchProfile } from '../../aws/config/profiles.ts';
import type { Partition } from '../../aws/partitions.ts';

/** A role, and how one comes to it: with an ID token, or through the role of its `source`. A profile is one. */
export interface RoleChain extends Pick<VouchProfile, 'role' | 'externalId' | 'roleSessionName' | 'durationSeconds'> {
  source?: RoleChain;
}

/** The roles from the last one to the first. */
function* hops(chain: RoleChain): Generator<RoleChain> {
  for (let hop: RoleChain | undefined = chain; hop !== undefined; hop = hop.source) yield hop;
}

export function partitionsOf(chain: RoleChain): Partition[] {
  return [...hops(chain)].map(({ role }) => role.partition);
}

/** The name of the last role, as it is called in AWS's console. */
export function nameOfRole({ role }: RoleChain): string {
  return role.arn.slice(role.arn.lastIndexOf('/') + 1);
}

/** What the credentials of a chain are known by: all that AWS is asked with. */
export function keyOf(chain: RoleChain): string {
  return JSON.stringify(
    [...hops(chain)].map(({ role, externalId, roleSessionName, durationSeconds }) => [
      role.arn,
      externalId ?? null,
      roleSessionName ?? null,
      durationSeconds ?? null,
    ]),
  );
}
