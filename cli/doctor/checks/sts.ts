import { profileCredentials } from '../../agent/client/requests.ts';
import type { CredentialsAnswer } from '../../agent/protocol/messages.ts';
import type { VouchProfile } from '../../aws/config/profiles.ts';
import { callerIdentity } from '../../aws/sts/caller-identity.ts';
import { caVariable } from '../../network/reason.ts';
import { asProblem, Problem } from '../../problem/problem.ts';
import type { Check, Finding, Outcome, Visit } from '../check.ts';
import { clockFindings } from '../clock-finding.ts';
import { networkFinding, unreached } from '../network-finding.ts';
import { problemAsFinding } from '../problem-as-finding.ts';
import { reachDestinations } from '../reachable.ts';
import { stsFinding } from '../sts-finding.ts';
import { firstOf, hasRole } from './id-token.ts';

/** AWS accepts the token for the role, and then accepts the credentials that it gave. */
export const sts: Check = {
  id: 'sts',
  title: 'AWS STS',
  needs: () => ['id-token'],
  applies: hasRole,
  run: async (visit) => {
    const profile = visit.facts.profile as VouchProfile;
    const region = visit.target?.host.region ?? profile.region ?? profile.role.partition.defaultRegion;
    let credentials: CredentialsAnswer;
    try {
      credentials = await profileCredentials(profile.name, { region, fresh: true }, visit.env);
    } catch (error) {
      return { says: 'no credentials for the role', findings: [await explain(error, profile, visit)] };
    }
    return identify(credentials, region, visit);
  },
};

async function explain(error: unknown, profile: VouchProfile, visit: Visit): Promise<Finding> {
  const problem = asProblem(error);
  const first = firstOf(profile);
  if (problem.kind === 'aws-unreachable') {
    if (problem.reason === 'issuer-unreachable') return problemAsFinding('sts.issuer-unreachable', problem);
    const finding = await networkFinding('sts', unreached(problem), visit);
    const reached = (await reachDestinations(visit)).find(({ name }) => name === 'AWS STS');
    if (reached?.unreached !== undefined) return finding;
    return {
      ...finding,
      id: 'sts.agent-environment',
      what: 'The agent cannot reach AWS STS, but this shell can.',
      steps: [
        'The agent keeps the environment that it was started in: `vouch agent stop`, then `vouch login` from here.',
      ],
    };
  }
  if (problem.kind !== 'aws-refused') return problemAsFinding(`sts.${problem.kind}`, problem);
  // In a chain, only the first role is assumed with the token.
  if (profile.source && problem.role !== first.role.arn) return problemAsFinding('sts.chain', problem);
  return stsFinding({ profile: first, claims: visit.facts.claims ?? {}, problem });
}

async function identify(credentials: CredentialsAnswer, region: string, visit: Visit): Promise<Outcome> {
  try {
    const identity = await callerIdentity(credentials, { region, env: visit.env, signal: visit.signal });
    visit.facts.identity = identity;
    const date = identity.date;
    return {
      says: `account ${identity.account}, by STS in ${region}`,
      details: [identity.arn],
      findings: clockFindings('sts.clock-skew', "AWS's", date),
      data: { account: identity.account, arn: identity.arn, region },
    };
  } catch (error) {
    visit.signal.throwIfAborted();
    // This shell's own settings are wrong, so AWS was not asked.
    if (error instanceof Problem) {
      return {
        says: 'credentials that could not be checked',
        findings: [problemAsFinding(`sts.${error.kind}`, error)],
      };
    }
    const refused = (error as { $fault?: unknown }).$fault === 'client';
    const finding: Finding = refused
      ? {
          id: 'sts.identity',
          severity: 'trouble',
          what: 'AWS gave credentials, but does not accept them (GetCallerIdentity).',
          why: [asProblem(error).why],
          steps: ['Try again in a minute; if it stays, ask your AWS administrator.'],
        }
      : await networkFinding('sts', unreached(error, caVariable(visit.env)), visit);
    return { says: 'credentials that could not be checked', findings: [finding] };
  }
}
