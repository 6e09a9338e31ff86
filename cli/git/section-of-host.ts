import { gitUrlPatterns } from '../aws/codecommit/hosts.ts';
import { normalizeUrl, urlMatches } from './url-match.ts';

/**
 * The URL of the section that `vouch setup codecommit` writes for a host, without being told of that host. `section_of_host` in
 * cli/git-credential-vouch/git-credential-vouch finds the same.
 *
 * @param host with its port if it has one
 * @returns undefined when none of these sections is for the host: an endpoint's name may have more labels than they are for
 */
export function sectionOfHost(host: string): string | undefined {
  const url = normalizeUrl(`https://${host}`);
  return gitUrlPatterns().find(({ pattern }) => {
    const section = normalizeUrl(pattern, { pattern: true });
    return url !== undefined && section !== undefined && urlMatches(url, section);
  })?.pattern;
}
