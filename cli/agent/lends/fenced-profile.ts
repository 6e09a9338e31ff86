import { parseRepositoryPattern, type RepositoryPattern } from '../../aws/codecommit/repository-pattern.ts';
import { isBranchPattern, sessionPolicy } from '../../aws/codecommit/session-policy.ts';
import { profileOfCommand } from '../../aws/config/profile-of-command.ts';
import type { VouchProfile } from '../../aws/config/profiles.ts';
import { partitionOf } from '../../aws/partitions.ts';
import { Problem } from '../../problem/problem.ts';
import type { NewLend } from '../protocol/lends.ts';

/** A profile as it is lent: resolved, with what its credentials are good for. */
export interface FencedProfile extends VouchProfile {
  policy: string;
  repositories: readonly RepositoryPattern[];
}

/**
 * Resolves a lend's profiles, and fences each: to the repositories that are in its role's partition.
 *
 * @param known Vouch's profiles
 * @throws Problem `usage` when the fence is malformed, too long for AWS, or leaves a profile nothing; as profileOfCommand
 */
export function fenceProfiles(known: readonly VouchProfile[], asked: NewLend): FencedProfile[] {
  const { pullOnly, branches, aws, awsProfile } = asked;
  const repositories = asked.repos.map(repositoryPattern);
  for (const branch of branches) {
    if (!isBranchPattern(branch))
      throw usage(`This does not name branches: ${branch}`, 'It looks like agent/*, without refs/heads/.');
  }
  if (pullOnly && branches.length > 0) {
    throw usage('--pull-only and --branch cannot be used together.', 'Without pushes there is no branch to push to.');
  }
  const names = asked.profiles.length === 0 ? [undefined] : [...new Set(asked.profiles)];
  const env = { AWS_PROFILE: awsProfile };
  const chosen = names.map((name) =>
    profileOfCommand((name ?? awsProfile) ? known : fitting(known, repositories), name, env),
  );
  return chosen.map((profile) => {
    const its = repositories.filter(
      ({ region }) => region === undefined || partitionOf(region)?.id === profile.role.partition.id,
    );
    if (its.length === 0 && repositories.length > 0) {
      throw usage(
        `The profile "${profile.name}" can open none of these repositories.`,
        `Its role ${profile.role.arn} is in the partition ${profile.role.partition.id}, and they are not.`,
      );
    }
    return {
      ...profile,
      repositories: its,
      policy: sessionPolicy(profile.role, { repositories: its, pullOnly, branches, aws }),
    };
  });
}

/** The profiles in the partition of the first repository whose region is named; all, if there are none. */
function fitting(known: readonly VouchProfile[], repositories: readonly RepositoryPattern[]): readonly VouchProfile[] {
  const region = repositories.find((one) => one.region !== undefined)?.region ?? '';
  const partition = partitionOf(region)?.id;
  const found = known.filter(({ role }) => role.partition.id === partition);
  return found.length > 0 ? found : known;
}

function repositoryPattern(text: string): RepositoryPattern {
  const pattern = parseRepositoryPattern(text);
  if (pattern !== undefined) return pattern;
  throw usage(
    `This does not name repositories on CodeCommit: ${text}`,
    'It looks like demo, team-*, https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo or codecommit::us-east-1://demo, with no profile in it.',
  );
}

function usage(what: string, why: string): Problem {
  return new Problem({ kind: 'usage', what, why });
}
