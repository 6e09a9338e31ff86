import type { Check } from '../check.ts';
import { gitSaid } from '../explain-git.ts';
import { explainReply, repositoryArn } from '../refusal.ts';
import { tryPush } from '../repository.ts';
import type { Target } from '../target.ts';

/** A real request for the list of refs to push to, as a push begins with; nothing is pushed. */
export const push: Check = {
  id: 'push',
  title: 'Push',
  needs: ({ chart }) => (chart.pushDespitePull ? [] : ['pull']),
  applies: ({ target }) => target !== undefined,
  run: async (visit) => {
    const reply = await tryPush(visit);
    if (reply.outcome === 'done') return { says: 'allowed; nothing was pushed' };
    if (reply.outcome !== 'forbidden') return { says: 'failed', findings: [await explainReply('push', reply, visit)] };
    const role = visit.chart.profile?.role.arn ?? '';
    const arn = repositoryArn(visit.target as Target, visit.chart.identity?.account ?? '');
    return {
      says: 'refused by AWS',
      findings: [
        {
          id: 'push.no-git-push',
          severity: 'trouble',
          what: 'The role may pull from the repository, and may not push to it.',
          why: [
            `The role is ${role}; its policies do not allow codecommit:GitPush on ${arn}`,
            `Git says: ${gitSaid(reply.answer)}`,
          ],
          fix: [
            'Ask who runs your AWS account to allow codecommit:GitPush for the role there; or is it meant to be so?',
          ],
        },
      ],
    };
  },
};
