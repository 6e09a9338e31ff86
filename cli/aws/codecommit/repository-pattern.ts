import { isRegion } from '../partitions.ts';
import { codeCommitHost } from './hosts.ts';

/** Which repositories are meant. */
export interface RepositoryPattern {
  /** A name, in which `*` stands for any characters and `?` for one, as IAM takes them in a resource's ARN. */
  name: string;
  /** By default every region. */
  region: string | undefined;
}

/** A name as CodeCommit takes it (API reference, CreateRepository), with IAM's two wildcards. */
const pattern = /^[A-Za-z0-9_.*?-]{1,100}$/;

/**
 * Reads what names repositories: a name or a pattern of names; or a repository's URL, `https://git-codecommit.…/v1/repos/…` or
 * `codecommit::region://…`, which names the region too. A URL with a user name or a profile is none.
 *
 * @returns undefined when it is anything else
 */
export function parseRepositoryPattern(text: string): RepositoryPattern | undefined {
  if (pattern.test(text)) return { name: text, region: undefined };
  const [, authority, fromHttps] = /^https:\/\/([^/@?#]+)\/v1\/repos\/([^/]+)\/?$/i.exec(text) ?? [];
  const [, scheme, fromScheme] = /^codecommit::([a-z0-9-]+):\/\/([^/@]+)\/?$/i.exec(text) ?? [];
  const name = fromHttps ?? fromScheme ?? '';
  const region = authority === undefined ? scheme?.toLowerCase() : codeCommitHost(authority)?.region;
  return region !== undefined && isRegion(region) && pattern.test(name) ? { name, region } : undefined;
}

/** Whether a name is a repository's, and the pattern's. A name is case-sensitive, as in IAM. */
export function matchesRepository({ name, region }: RepositoryPattern, repository: string, its: string): boolean {
  return (region === undefined || region === its) && matches(name, repository);
}

/**
 * Whether a pattern matches a text whole. It never tries more places than both lengths multiplied: a regular expression with many
 * wildcards could be made to run for ever.
 */
function matches(pattern: string, text: string): boolean {
  let [at, star, from] = [0, -1, 0];
  for (let i = 0; i < text.length; ) {
    if (pattern[at] === '*') {
      star = at++;
      from = i;
    } else if (pattern[at] === '?' || pattern[at] === text[i]) {
      at++;
      i++;
    } else if (star !== -1) {
      // The last `*` stands for one character more.
      at = star + 1;
      i = ++from;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}
