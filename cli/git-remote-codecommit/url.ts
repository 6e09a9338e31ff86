import { isRegion } from '../aws/partitions.ts';
import { Problem } from '../problem/problem.ts';

/** The parts of a remote's URL of the scheme `codecommit`. */
export interface RemoteUrl {
  region: string | undefined;
  /** The AWS profile. */
  profile: string | undefined;
  repository: string;
}

/**
 * Reads the URL that Git passes to git-remote-codecommit: `codecommit://[profile@]repository` as it is, and
 * `codecommit::region://[profile@]repository` without the `codecommit::` (gitremote-helpers(7)). The grammar is that of AWS's
 * program of the same name, with two differences: a profile's name may contain an `@`, and anything after the repository's name is an
 * error instead of ignored.
 *
 * @throws Problem `malformed-url`, `unknown-region`, `repository-name`
 */
export function parseRemoteUrl(url: string): RemoteUrl {
  const [, scheme = '', authority = '', tail = ''] = /^([^:/?#@]+):\/\/([^/?#]+)(.*)$/s.exec(url) ?? [];
  if (authority === '') throw malformed(url);
  if (tail !== '' && tail !== '/')
    throw malformed(url, `Nothing may follow the name of the repository, as "${tail}" does here.`);
  const at = authority.lastIndexOf('@');
  if (at === 0) throw malformed(url, 'There is no name of a profile before the @.');
  return {
    region: regionOf(scheme.toLowerCase(), url),
    profile: at === -1 ? undefined : authority.slice(0, at),
    repository: repositoryName(authority.slice(at + 1), url),
  };
}

function regionOf(scheme: string, url: string): string | undefined {
  if (scheme === 'codecommit') return undefined;
  if (isRegion(scheme)) return scheme;
  if (/^[a-z]{2,4}-.*\d/.test(scheme)) throw unknownRegion(scheme, `The URL ${url}`);
  throw malformed(url);
}

/**
 * The Problem `unknown-region`.
 *
 * @param source what names the region, such as a setting
 */
export function unknownRegion(region: string, source: string): Problem {
  return new Problem({
    kind: 'unknown-region',
    what: `The following AWS Region is not available for use with AWS CodeCommit: ${region}.`,
    why: `${source} names it, and no AWS Region has a name like that.`,
    fix: 'Write the region like us-east-1, as in codecommit::us-east-1://repository, then try again.',
  });
}

/** CodeCommit API Reference, CreateRepository: 1 to 100 of `[\w\.-]`, and not `.git` at the end. */
function repositoryName(name: string, url: string): string {
  if (name.endsWith('.git') && name !== '.git') {
    const instead = `${/^codecommit:/i.test(url) ? '' : 'codecommit::'}${url.replace(/\.git\/?$/, '')}`;
    throw wrongName(name, 'Names of CodeCommit repositories do not end in .git.', `Leave it out: ${instead}`);
  }
  // In a URL's path, `.` and `..` mean folders.
  if (/^[A-Za-z0-9_.-]{1,100}$/.test(name) && !/^(\.|\.\.|\.git)$/.test(name)) return name;
  if (name === '') throw malformed(url, 'There is no name of a repository after the @.');
  throw wrongName(name, 'A name has 1 to 100 letters, digits, dots, hyphens and underscores.');
}

function wrongName(
  name: string,
  why: string,
  fix = 'Correct the URL (`git remote -v` shows it), then try again.',
): Problem {
  return new Problem({
    kind: 'repository-name',
    what: `This is not the name of a CodeCommit repository: ${name}`,
    why,
    fix,
  });
}

function malformed(url: string, detail = ''): Problem {
  return new Problem({
    kind: 'malformed-url',
    what: `The following URL is malformed: ${url}`,
    why: `${detail === '' ? '' : `${detail} `}A URL must be in one of the two following formats: codecommit://<profile>@<repository> or codecommit::<region>://<profile>@<repository>.`,
    fix: '`<profile>@` may be left out. `git remote -v` shows the URLs of your remotes.',
  });
}
