import { Problem } from '../../problem/problem.ts';
import { count } from '../../text/count.ts';
import type { RoleArn } from '../role-arn.ts';
import type { RepositoryPattern } from './repository-pattern.ts';

/** The longest session policy, in characters (STS API reference, AssumeRoleWithWebIdentity, Policy). */
const longestPolicy = 2048;

/** What credentials are good for, at most. */
export interface Fence {
  /** Without any, every repository of the role's account. */
  repositories: readonly RepositoryPattern[];
  pullOnly: boolean;
  /** See isBranchPattern; without any, every branch may be pushed to. */
  branches: readonly string[];
  /** Whether the credentials themselves are given out, and not only passwords for CodeCommit. */
  aws: boolean;
}

/** Whether a text names branches: with `*` for any characters, and `?` for one (git-check-ref-format(1) forbids both in a name). */
export function isBranchPattern(text: string): boolean {
  return /^[A-Za-z0-9_.,@=+*?/-]{1,200}$/.test(text) && !/^[/-]|\/$|\/\/|\.\./.test(text);
}

/**
 * The session policy that fences a role's credentials (IAM user guide, "Session policies"): AWS allows what both the role's policies and
 * this one allow.
 *
 * The condition on branches follows CodeCommit's user guide, "Limit pushes and merges to branches". A Deny needs `Null`, because Git's
 * first request of a push names no branch. `ForAnyValue` makes one wrong branch in a push enough, in case AWS compares all branches of
 * a push at once.
 *
 * Credentials that are given out are denied all else. A policy of a bucket, a key or a role that names this very session could
 * otherwise allow what a session policy leaves out (IAM user guide, "Policy evaluation logic", resource-based policies). Requests that
 * CodeCommit makes in the session's name (`aws:ViaAWSService`), for the key of an encrypted repository, are no part of that.
 *
 * @throws Problem `usage` when it is longer than AWS takes
 */
export function sessionPolicy(role: RoleArn, { repositories, pullOnly, branches, aws }: Fence): string {
  const named = repositories.length === 0 ? [{ name: '*', region: undefined }] : repositories;
  const resources = named.map(
    ({ name, region = '*' }) => `arn:${role.partition.id}:codecommit:${region}:${role.account}:${name}`,
  );
  const allowed = {
    Effect: 'Allow',
    Action: pullOnly ? 'codecommit:GitPull' : ['codecommit:GitPull', 'codecommit:GitPush'],
    Resource: [...new Set(resources)],
  };
  const denied = {
    Effect: 'Deny',
    Action: 'codecommit:GitPush',
    Resource: '*',
    Condition: {
      Null: { 'codecommit:References': 'false' },
      'ForAnyValue:StringNotLike': { 'codecommit:References': branches.map((branch) => `refs/heads/${branch}`) },
    },
  };
  const others = {
    Effect: 'Deny',
    NotAction: allowed.Action,
    Resource: '*',
    Condition: { Bool: { 'aws:ViaAWSService': 'false' } },
  };
  const statements = [allowed, ...(pullOnly || branches.length === 0 ? [] : [denied]), ...(aws ? [others] : [])];
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  if (policy.length <= longestPolicy) return policy;
  throw new Problem({
    kind: 'usage',
    what: `The fence is too long for AWS: a policy of ${count(policy.length, 'character')}, and AWS takes ${longestPolicy}.`,
    fix: 'Name fewer repositories or branches, or patterns such as `team-*`.',
  });
}
