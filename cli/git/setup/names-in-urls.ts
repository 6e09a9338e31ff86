import type { VouchProfile } from '../../aws/config/profiles.ts';

/**
 * With more profiles than this in a partition, setup does not let the names of all of them stand in URLs. An older Git needs four
 * sections for each name (http-settings.ts), and every Git command reads them all.
 */
const mostNames = 8;

/**
 * The profiles whose names setup lets stand in URLs (`https://prod@git-codecommit…`) without being told to: all of a partition, as long
 * as they are few. So what setup writes grows with the partitions, not with the profiles.
 */
export function profilesForUrls(profiles: readonly VouchProfile[]): VouchProfile[] {
  const partitions = Map.groupBy(profiles, ({ role }) => role.partition.id);
  return [...partitions.values()].filter(({ length }) => length <= mostNames).flat();
}
