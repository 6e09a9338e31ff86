import type { GitUrlPattern } from '../../aws/codecommit/hosts.ts';
import type { VouchProfile } from '../../aws/config/profiles.ts';
import { type GitVersion, isAtLeast } from '../git.ts';
import type { GitSetting } from './git-setting.ts';

/** From this version on, Git can send credentials with the first request. */
export const proactiveAuth = [2, 46] as const;

/**
 * Git's HTTP settings for these URLs. CodeCommit never allows anonymous access, so a newer Git sends credentials with the first
 * request. An older Git sends a user name from the URL (`https://prod@git-codecommit…`) without a password; CodeCommit answers 403,
 * and Git asks no helper. With `emptyAuth`, Git sends no name and asks the helper with it. This needs a section with that user name
 * in its URL; in a section without a user name it would do harm.
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

/** A pattern with a profile's name as its user, as a person would write it: only characters that would end the name are escaped. */
function withUser(pattern: string, name: string): string {
  return pattern.replace('://', () => `://${name.replace(/[%@:/?#]/g, encodeURIComponent)}@`);
}
