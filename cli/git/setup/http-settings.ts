import type { VouchProfile } from '../../aws/config/profiles.ts';
import { type GitVersion, isAtLeast } from '../git.ts';
import type { GitSetting } from './git-setting.ts';
import type { UrlPattern } from './url-patterns.ts';

/** From this Git on, credentials can be sent with the first request. */
export const proactiveAuth = [2, 46] as const;

/**
 * What Git's HTTP must be told for these URLs. CodeCommit is never anonymous, so a newer Git need not try that first.
 * An older one given a user name in the URL (`https://prod@git-codecommit…`) sends that name without a password;
 * CodeCommit's answer is 403, and no helper is asked. `emptyAuth` keeps the name to the helper; it does so only
 * for a user name that the section names, and would do harm without one.
 */
export function httpSettings(
  patterns: readonly UrlPattern[],
  profiles: readonly VouchProfile[],
  version: GitVersion,
): GitSetting[] {
  if (isAtLeast(version, proactiveAuth)) {
    return patterns.map(({ pattern }) => ({ section: `http.${pattern}`, name: 'proactiveAuth', value: 'basic' }));
  }
  return patterns.flatMap((pattern) =>
    profiles
      .filter(({ role }) => pattern.partitions.includes(role.partition.id))
      .map(({ name }) => ({ section: `http.${withUser(pattern.pattern, name)}`, name: 'emptyAuth', value: 'true' })),
  );
}

/** What a profile's name is in a URL: only what would end it is escaped, so that it is what a person would write. */
function withUser(pattern: string, name: string): string {
  return pattern.replace('://', () => `://${name.replace(/[%@:/?#]/g, encodeURIComponent)}@`);
}
