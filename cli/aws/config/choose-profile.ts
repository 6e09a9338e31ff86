import { Problem } from '../../problem/problem.ts';
import { codeCommitHost } from '../codecommit/hosts.ts';
import { shellWord } from './command-line.ts';
import type { VouchProfile } from './profiles.ts';

/** The parts of a request that decide which profile serves it. */
export interface ProfileRequest {
  /** The user name that Git already has, from the URL or from `credential.<URL>.username`. */
  username?: string | undefined;
  /** The `--profile` of the helper in Git's configuration. */
  profile?: string | undefined;
  /** The caller's AWS_PROFILE. */
  awsProfile?: string | undefined;
  /** The repository's host, if it is known. */
  host?: string | undefined;
  /** The repository's path, without the leading slash. */
  path?: string | undefined;
}

/**
 * Chooses the profile that serves a request. The first of these counts: the user name in the URL, the helper's `--profile`,
 * AWS_PROFILE if it names a Vouch profile, the only profile with a role in the host's partition, the default profile. An empty
 * name counts as none.
 *
 * @param profiles Vouch's profiles
 * @throws Problem `no-profile`, `unknown-profile`, `several-profiles`
 */
export function chooseProfile<Profile extends VouchProfile>(
  profiles: readonly Profile[],
  wanted: ProfileRequest,
): Profile {
  if (profiles.length === 0) throw noProfile();
  const list = `Vouch's profiles are: ${profiles.map(({ name, role }) => `${name} (${role.arn})`).join(', ')}.`;
  const named = wanted.username || wanted.profile;
  if (named) {
    const found = profiles.find(({ name }) => name === named);
    if (found) return found;
    const where = wanted.username
      ? "the user name in the repository's URL (or credential.username in your Git config)"
      : 'the --profile of the helper';
    throw new Problem({
      kind: 'unknown-profile',
      what: `Git asks for the AWS profile "${named}", and Vouch has no such profile.`,
      why: list,
      fix: `Run \`vouch setup aws --profile ${shellWord(named)}\`, or change ${where}${wanted.username ? '' : ' in your Git config'}.`,
    });
  }
  const preferred = wanted.awsProfile && profiles.find(({ name }) => name === wanted.awsProfile);
  if (preferred) return preferred;
  const partition = codeCommitHost(wanted.host ?? '')?.partition;
  const fitting = profiles.filter(({ role }) => role.partition.id === partition?.id);
  const candidates = fitting.length > 0 ? fitting : profiles;
  const defaults = candidates.filter(({ isDefault }) => isDefault);
  const [only] = defaults.length === 1 ? defaults : candidates;
  if (only !== undefined && (defaults.length === 1 || candidates.length === 1)) return only;
  throw new Problem({
    kind: 'several-profiles',
    what: 'Several AWS profiles could serve this repository.',
    why: list,
    fix: howToName(candidates[0]?.name ?? '', wanted),
  });
}

/** The problem that there is no profile of Vouch's at all. */
export function noProfile(): Problem {
  return new Problem({
    kind: 'no-profile',
    what: 'No AWS role is set up for Vouch.',
    why: 'No profile in your AWS config has `credential_process = vouch credential aws --role …`.',
    fix: 'Run `vouch setup aws`, then try again.',
  });
}

/** How to name a profile, in commands and addresses that can be copied. */
function howToName(name: string, { host, path = '' }: ProfileRequest): string {
  const setup = `vouch setup codecommit --profile ${shellWord(name)}`;
  const ways = [`for all repositories with \`${setup}\``];
  if (host !== undefined) {
    const repository = /^v1\/repos\/[\w.-]{1,100}$/.test(path) ? `${host}/${path}` : host;
    ways.push(
      `for this one with \`${setup} --url https://${repository}\``,
      `in its URL (https://${name.replace(/[%@:/?#]/g, encodeURIComponent)}@${repository})`,
    );
  }
  return `Name one: ${ways.join(', ')}, or with AWS_PROFILE=${shellWord(name)}.`;
}
