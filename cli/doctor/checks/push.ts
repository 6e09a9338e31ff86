import { useAuthorizationId } from '../../aws/sts/authorization-id.ts';
import type { Check } from '../check.ts';
import { gitFinding, refusedCredentials, repositoryArn } from '../git-finding.ts';
import { gitSaid } from '../git-outcome.ts';
import { codeCommitSaid, notVouchFinding, pullOrPush } from '../pull-or-push.ts';
import type { Target } from '../target-repository.ts';

/** A real request for the list of refs, with which a push begins. Nothing is pushed. */
export const push: Check = {
  id: 'push',
  title: 'Push',
  needs: ({ facts }) => (facts.pushDespitePull ? [] : ['pull']),
  applies: ({ target }) => target !== undefined,
  run: async (visit) => {
    const access = await pullOrPush('push', visit);
    const { result, outcome, own } = access;
    // If CodeCommit accepted Git without Vouch, the pull's finding reports that.
    if (result.outcome === 'done') return { says: 'allowed; nothing was pushed' };
    const findings = access.notVouch ? [await notVouchFinding('push', access, visit)] : [];
    if (outcome === 'done') return { says: "CodeCommit refused Git's request", findings };
    if (outcome !== 'forbidden' || (access.notVouch && !own?.asked)) {
      if (findings.length === 0) findings.push(await gitFinding('push', result, visit));
      return { says: 'failed', findings };
    }
    const role = visit.facts.profile?.role.arn ?? '';
    const arn = repositoryArn(visit.target as Target, visit.facts.identity?.account ?? '');
    const decided = own?.asked && own.authorizationId ? [useAuthorizationId(own.authorizationId)] : [];
    return {
      says: 'refused by AWS',
      findings: [
        ...findings,
        refusedCredentials('push', access) ?? {
          id: 'push.no-git-push',
          severity: 'trouble',
          what: 'The role may pull from the repository, but may not push to it.',
          why: [
            `The role is ${role}; its policies do not allow codecommit:GitPush on ${arn}`,
            ...(own?.asked ? codeCommitSaid(own) : [`Git says: ${gitSaid(result.answer)}`]),
          ],
          steps: [
            'Ask your AWS administrator to allow codecommit:GitPush for the role there, unless this is intended.',
            ...decided,
          ],
        },
      ],
    };
  },
};
