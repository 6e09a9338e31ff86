import type { GitUrlPattern } from '../../aws/codecommit/hosts.ts';
import type { VouchProfile } from '../../aws/config/profiles.ts';
import { type GitVersion, isAtLeast } from '../git.ts';
import type { GitSetting } from './git-setting.ts';

/** From this version on, Git can send credentials with the first request. */
export const proactiveAuth = [2, 46] as const;

/**
 * Git's HTTP settings for these URLs. CodeCommit is never anonymous, so a newer Git need not try that first. An older one that finds
 * a user name in the URL (`https://prod@git-codecommit…`) sends it without a password; CodeCommit answers 403, and no helper is
 * asked. With `emptyAuth` only the helper gets the name. That works only for the user name in the section's own URL, and in a section
 * without one it would do harm.
 */
export function httpSettings(
  patterns: readonly GitUrlPattern[],
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

/** A pattern with a profile's name as its user: only characters that would end the name are escaped, as a person would write it. */
function withUser(pattern: string, name: string): string {
  return pattern.replace('://', () => `://${name.replace(/[%@:/?#]/g, encodeURIComponent)}@`);
}
