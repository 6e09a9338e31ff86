import { gitUrlPatterns } from '../aws/codecommit/hosts.ts';
import { normalizeUrl, urlMatches } from './url-match.ts';

/**
 * The URL of the section for this host, among the sections that `vouch setup codecommit` writes for all hosts. `section_of_host` in
 * cli/git-credential-vouch/git-credential-vouch finds the same section.
 *
 * @param host with its port, if any
 * @returns undefined when no section is for this host: an endpoint's name may have more labels than the sections match
 */
export function sectionOfHost(host: string): string | undefined {
  const url = normalizeUrl(`https://${host}`);
  return gitUrlPatterns().find(({ pattern }) => {
    const section = normalizeUrl(pattern, { pattern: true });
    return url !== undefined && section !== undefined && urlMatches(url, section);
  })?.pattern;
}
