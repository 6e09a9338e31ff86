import { useAuthorizationId } from '../../aws/sts/authorization-id.ts';
import { count } from '../../text/count.ts';
import type { Check, Finding, Visit } from '../check.ts';
import { gitFinding, refusedCredentials, repositoryArn } from '../git-finding.ts';
import { gitSaid } from '../git-outcome.ts';
import { codeCommitSaid, notVouchFinding, type PullOrPush, pullOrPush } from '../pull-or-push.ts';
import { findElsewhere, type Place } from '../regions.ts';
import { addressFor, type Target } from '../target-repository.ts';

/** A real request for the list of refs, with which a clone, fetch or pull begins. */
export const pull: Check = {
  id: 'pull',
  title: 'Pull',
  needs: ({ target }) =>
    target?.scheme === 'codecommit' ? ['remote-helper', 'sts'] : ['helper', 'remote', 'git-config', 'sts'],
  applies: ({ target }) => target !== undefined,
  run: async (visit) => {
    const access = await pullOrPush('pull', visit);
    const { result, outcome } = access;
    const findings = access.notVouch ? [await notVouchFinding('pull', access, visit)] : [];
    if (result.outcome === 'done') {
      const refs = result.answer.stdout.split('\n').filter(Boolean).length;
      return {
        says: `allowed; ls-remote lists ${count(refs, 'ref')}`,
        data: { refs, askedVouch: result.askedVouch ?? null },
        findings,
      };
    }
    const data = { askedVouch: result.askedVouch ?? null };
    if (outcome === 'done') return { says: "CodeCommit refused Git's request", findings, data };
    if (outcome === 'not-found') {
      return { says: 'no such repository', findings: [...findings, await notFound(visit)], data };
    }
    if (outcome === 'forbidden' && !(access.notVouch && !access.own?.asked)) {
      const says = 'refused by AWS';
      return {
        says,
        findings: [...findings, refusedCredentials('pull', access) ?? (await forbidden(visit, access))],
        data,
      };
    }
    if (findings.length === 0) findings.push(await gitFinding('pull', result, visit));
    return { says: 'failed', findings, data };
  },
};

async function notFound(visit: Visit): Promise<Finding> {
  const { host, repository } = visit.target as Target;
  const account = visit.facts.identity?.account ?? '';
  return {
    id: 'pull.not-found',
    severity: 'trouble',
    what: `There is no repository ${repository} in ${host.region} of account ${account}.`,
    ...(await elsewhere(visit, [], [])),
  };
}

async function forbidden(visit: Visit, { result, own }: PullOrPush): Promise<Finding> {
  const target = visit.target as Target;
  const account = visit.facts.identity?.account ?? '';
  const arn = repositoryArn(target, account);
  const role = visit.facts.profile?.role.arn ?? '';
  const said = own?.asked ? codeCommitSaid(own) : [`Git says: ${gitSaid(result.answer)}`];
  const decided = own?.asked && own.authorizationId ? [useAuthorizationId(own.authorizationId)] : [];
  const push = await pullOrPush('push', visit);
  if (push.outcome === 'done') {
    visit.facts.pushDespitePull = true;
    return {
      id: 'pull.no-git-pull',
      severity: 'trouble',
      what: 'The role may push to the repository, but may not pull from it.',
      why: [`The role is ${role}; its policies do not allow codecommit:GitPull on ${arn}`, ...said],
      steps: ['Ask your AWS administrator to allow codecommit:GitPull for the role there.', ...decided],
    };
  }
  return {
    id: 'pull.forbidden',
    severity: 'trouble',
    what: 'The role may neither pull from the repository nor push to it.',
    ...(await elsewhere(
      visit,
      [`The role is ${role}; its policies allow no codecommit:GitPull on ${arn}`, ...said],
      [
        'Ask your AWS administrator to allow codecommit:GitPull (and codecommit:GitPush) for the role there.',
        ...decided,
      ],
    )),
  };
}

/** Whether the repository is in another region, or how to look for it there. */
async function elsewhere(visit: Visit, why: string[], steps: string[]): Promise<Pick<Finding, 'why' | 'steps'>> {
  const target = visit.target as Target;
  if (!visit.tryRegions) {
    const address = target.scheme === 'codecommit' ? target.url : addressFor(target.https, target.profile);
    return {
      why,
      steps: [
        'Check region, account and name in the URL (`git remote -v`).',
        ...steps,
        `To look for it in the regions of your other profiles: \`vouch doctor --try-regions ${address}\``,
      ],
    };
  }
  const { tried, found } = await findElsewhere(visit);
  const places = tried.map(({ profile, region }) => `${region} (profile ${profile})`).join(', ');
  if (found === undefined) {
    const looked = tried.length === 0 ? 'No profile names another region.' : `It is not in ${places} either.`;
    return { why: [...why, looked], steps: ['Check region, account and name in the URL (`git remote -v`).', ...steps] };
  }
  const { region, profile, url } = found;
  const other = writtenAlike(target, found, target.profile !== undefined || profile !== visit.facts.profile?.name);
  return {
    why: [...why, `There is one of that name in ${region}, for profile ${profile}: ${url}`],
    steps: [
      target.remote === undefined
        ? `If that is the one, this is its URL: ${other}`
        : `If that is the one: \`git remote set-url ${target.remote} ${other}\``,
    ],
  };
}

/** The URL of a place in the user's scheme, with the profile if `named`. */
function writtenAlike({ scheme, repository }: Target, { profile, region, url }: Place, named: boolean): string {
  if (scheme === 'https') return addressFor(url, named ? profile : undefined);
  return `codecommit::${region}://${named ? `${profile}@` : ''}${repository}`;
}
