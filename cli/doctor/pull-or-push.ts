import { askCodeCommit, type CodeCommitAnswer } from './ask-codecommit.ts';
import type { Finding, Visit } from './check.ts';
import { type GitOutcome, gitSaid } from './git-outcome.ts';
import { type GitResult, tryPull, tryPush } from './try-pull-push.ts';
import { whyGitSkippedVouch } from './why-git-skipped-vouch.ts';

/** What a pull or a push leads to: how Git's own request ended, and what CodeCommit lets the role do. */
export interface PullOrPush {
  result: GitResult;
  /** The outcome of Vouch's own request for the role, if there was one; by default the outcome of Git's request. */
  outcome: GitOutcome;
  /** CodeCommit's answer to Vouch's own request. There is one when CodeCommit has refused Git's request. */
  own: CodeCommitAnswer | undefined;
  /** Whether Git sent another user name and password than Vouch's, or none. */
  notVouch: boolean;
}

/** The outcomes whose reason Git cannot say. Git may not have used Vouch's user name and password. */
const refusals: readonly GitOutcome[] = ['forbidden', 'refused', 'not-found', 'no-credentials'];

/** Tries with Git. If CodeCommit refuses, tries again without Git: only that answer is about the role. */
export async function pullOrPush(what: 'pull' | 'push', visit: Visit): Promise<PullOrPush> {
  const result = await (what === 'pull' ? tryPull(visit) : tryPush(visit));
  const notAsked = result.askedVouch === false;
  if (result.outcome === 'done') return { result, outcome: 'done', own: undefined, notVouch: notAsked };
  if (!refusals.includes(result.outcome)) return { result, outcome: result.outcome, own: undefined, notVouch: false };
  const own = await askCodeCommit(visit, what);
  if (!own.asked) return { result, outcome: result.outcome, own, notVouch: notAsked };
  const outcome = outcomeOf(own.status);
  return { result, outcome, own, notVouch: notAsked || outcome === 'done' };
}

function outcomeOf(status: number): GitOutcome {
  if (status === 200) return 'done';
  if (status === 401) return 'refused';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  return status === 429 || status >= 500 ? 'busy' : 'other';
}

/** The finding when Git did not send Vouch's user name and password. If CodeCommit accepted the request anyway, it is a warning. */
export async function notVouchFinding(what: 'pull' | 'push', access: PullOrPush, visit: Visit): Promise<Finding> {
  const { result, own, outcome } = access;
  const causes = await whyGitSkippedVouch(visit);
  const said = gitSaid(result.answer);
  const accepted = result.outcome === 'done';
  const asked = result.askedVouch === true ? 'Git asked Vouch, but sent something else' : 'Git did not ask Vouch';
  const why = causes.map((cause) => cause.what);
  if (own?.asked && outcome === 'done')
    why.push(`CodeCommit accepts Vouch's password for the role: a ${what} is allowed.`);
  if (own?.asked === false)
    why.push(`What the role may do is not known: Vouch could not ask CodeCommit itself. ${own.why}`);
  if (!accepted && said !== '') why.push(`Git says: ${said}`);
  return {
    id: `${what}.not-vouch`,
    severity: accepted ? 'warning' : 'trouble',
    what: accepted
      ? `${asked}, and CodeCommit accepted another user name and password.`
      : `${asked}, and CodeCommit refused the request.`,
    why,
    steps:
      causes.length > 0
        ? causes.map((cause) => cause.fix)
        : ['No cause was found. `GIT_TRACE=1 git ls-remote …` shows what Git starts; report it with that.'],
  };
}

/** CodeCommit's message about the role, one line each. */
export function codeCommitSaid(own: CodeCommitAnswer | undefined): string[] {
  if (!own?.asked) return [];
  const lines = own.message === '' ? [] : [`AWS says: ${own.code === undefined ? '' : `${own.code}: `}${own.message}`];
  if (own.authorizationId !== undefined) lines.push(`AWS's authorization ID: ${own.authorizationId}`);
  if (own.requestId !== undefined) lines.push(`AWS's request ID: ${own.requestId}`);
  return lines;
}
