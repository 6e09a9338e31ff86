import type { Lend } from '../agent/protocol/lends.ts';
import { codeCommitUrl, type GitUrlPattern, gitUrlPatterns } from '../aws/codecommit/hosts.ts';
import { parseRepositoryPattern } from '../aws/codecommit/repository-pattern.ts';
import { shellWord } from '../aws/config/command-line.ts';
import { partitionOf } from '../aws/partitions.ts';
import { parseRoleArn } from '../aws/role-arn.ts';
import { httpSettings } from '../git/setup/http-settings.ts';

/** The oldest Git that they are for. */
const oldestGit = { text: '2.39', major: 2, minor: 39 };

/**
 * Git's settings for a place that has Git (2.39 or later) and nothing of Vouch's: for each family of CodeCommit's hosts in the lend's
 * partitions, the lend's socket is the only helper.
 *
 * @param socket the socket's path at that place
 * @returns names and values, in Git's order; a name may come twice
 */
export function gitSettings(lend: Lend, socket: string): [key: string, value: string][] {
  const partitions = new Set(lend.profiles.flatMap(({ role }) => parseRoleArn(role)?.partition.id ?? []));
  const helper = askSocket(lend, socket);
  const patterns = gitUrlPatterns().filter((family) => family.partitions.some((id) => partitions.has(id)));
  const helpers = patterns.flatMap(({ pattern }): [string, string][] => [
    // An empty one clears the helpers before it: one that stores would keep a password that dies in minutes.
    [`credential.${pattern}.helper`, ''],
    ...(lend.pullOnly ? [[`credential.${pattern}.helper`, sayPullOnly(lend)] as [string, string]] : []),
    [`credential.${pattern}.helper`, helper],
    [`credential.${pattern}.useHttpPath`, 'true'],
  ]);
  return [...helpers, ...userNames(lend, patterns), ...addresses(lend)];
}

/**
 * The helper asks `git credential-cache`, which every Git has. `get` alone is passed on: for `store` that program would start a cache of
 * its own if the socket is dead. When there is no answer, or a refusal, it tells Git to stop, which would otherwise ask a person for a
 * user name. The password stays in the pipe; the shell reads the first line, the user name.
 */
function askSocket({ name }: Lend, socket: string): string {
  const ask = `git credential-cache --socket ${shellWord(socket)} get`;
  const refuse = `echo "vouch: The lend ${name} does not open this, or is over." >&2; echo quit=1`;
  const answer = `if read -r line && test "$line" != quit=1; then echo "$line"; cat; else ${refuse}; fi`;
  return `!f() { test "$1" = get && ${ask} | { ${answer}; }; }; f`;
}

/** Before 2.46, Git sends a user name in the URL without a password, and asks no helper when that is refused (git/setup/http-settings.ts). */
function userNames(lend: Lend, patterns: readonly GitUrlPattern[]): [string, string][] {
  const profiles = lend.profiles.flatMap(({ profile, role }) => {
    const arn = parseRoleArn(role);
    return arn ? [{ name: profile, role: arn, region: undefined }] : [];
  });
  return httpSettings(patterns, profiles, oldestGit).map(({ section, name, value }) => [`${section}.${name}`, value]);
}

/**
 * Git asks a helper in the same words for a pull and for a push. So in what it pushes to, the host is written another way
 * (`pushInsteadOf` in `addresses`), and this helper, which gives nothing, tells a push by that.
 */
function sayPullOnly({ name }: Lend): string {
  const said = `echo "vouch: The lend ${name} is for pulling only, so AWS refuses this push." >&2`;
  return `!f() { test "$1" = get && while read -r line; do case $line in host=${pushedTo}*) ${said} ;; esac; done; }; f`;
}

/** How the host begins in what a pull-only lend pushes to. AWS refuses it anyway, so it need not be the host as AWS signs it. */
const pushedTo = 'Git-CodeCommit';

/** `codecommit::region://name` is an HTTPS address for this Git, which has no program for that scheme. */
function addresses(lend: Lend): [string, string][] {
  const regions = new Set(lend.repos.flatMap((repo) => parseRepositoryPattern(repo)?.region ?? []));
  const schemes = [...regions].flatMap((region): [string, string][] => {
    const base = codeCommitUrl(region, '') ?? '';
    const scheme = `codecommit::${region}://`;
    const pushed = lend.pullOnly ? [[`url.${toPush(base)}.pushInsteadOf`, scheme] as [string, string]] : [];
    return partitionOf(region) ? [[`url.${base}.insteadOf`, scheme], ...pushed] : [];
  });
  const start = 'https://git-codecommit';
  return [...schemes, ...(lend.pullOnly ? [[`url.${toPush(start)}.pushInsteadOf`, start] as [string, string]] : [])];
}

const toPush = (url: string) => url.replace('git-codecommit', pushedTo);
