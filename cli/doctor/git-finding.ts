import type { Finding, Visit } from './check.ts';
import { gitSaid } from './git-outcome.ts';
import { networkFinding } from './network-finding.ts';
import { codeCommitSaid, type PullOrPush } from './pull-or-push.ts';
import type { Target } from './target-repository.ts';
import type { GitResult } from './try-pull-push.ts';

/** The finding about Git's failed request, for the reasons that pull and push have in common. */
export async function gitFinding(
  check: 'pull' | 'push',
  { answer, outcome }: GitResult,
  visit: Visit,
): Promise<Finding> {
  const said = gitSaid(answer);
  const finding = (what: string, why: string[], steps: string[]): Finding => ({
    id: `${check}.${outcome}`,
    severity: 'trouble',
    what,
    why: [...why, ...(said === '' ? [] : [`Git says: ${said}`])],
    steps,
  });
  switch (outcome) {
    case 'tls':
    case 'proxy':
    case 'unreachable':
      return networkFinding(check, { why: said, network: outcome }, visit);
    case 'late':
      return networkFinding(check, { why: 'It did not answer in time.', network: 'unreachable' }, visit);
    case 'busy':
      return finding('CodeCommit could not serve the request.', [], ['Try again in a minute.']);
    case 'refused':
      return finding(
        'CodeCommit did not accept the user name and password.',
        ['They are not from Vouch: another helper, or a password in the URL, came first.'],
        ['Take the password out of the URL (`git remote -v`), and see above which helpers Git asks.'],
      );
    case 'no-credentials':
      return finding(
        'Git was given no user name and password.',
        ["Git's helper did not answer, and printed nothing."],
        ['See above which helpers Git asks.'],
      );
    case 'quit':
      return finding(
        "Git's helper gave no credentials.",
        [],
        ['Do what its message says, then run `vouch doctor` again.'],
      );
    case 'not-allowed':
      return finding(
        'Git is not allowed to use codecommit:// addresses (protocol.codecommit.allow).',
        [],
        ['Run `git config --global protocol.codecommit.allow always`.'],
      );
    case 'no-remote-helper':
      return finding(
        'Git does not find git-remote-codecommit.',
        [],
        ['Put the folder of `vouch` on your PATH, then try again.'],
      );
    default:
      return finding('Git failed.', [], ['Correct the cause, then run `vouch doctor` again.']);
  }
}

/**
 * The finding when CodeCommit refuses the credentials or the signature of Vouch's own request. Then the role's policies are not the
 * cause.
 */
export function refusedCredentials(check: 'pull' | 'push', { own }: PullOrPush): Finding | undefined {
  if (!own?.asked || !/Signature|Token|UnrecognizedClient|InvalidClient/i.test(own.code ?? '')) return undefined;
  return {
    id: `${check}.credentials`,
    severity: 'trouble',
    what: "CodeCommit does not accept Vouch's password. The role is not the cause.",
    why: codeCommitSaid(own),
    steps: [
      "Check this machine's clock (`date -u`), then run `vouch doctor` again; if it stays, report it with these lines.",
    ],
  };
}

/** The repository's ARN, as policies name it. */
export function repositoryArn({ host, repository }: Target, account: string): string {
  return `arn:${host.partition.id}:codecommit:${host.region}:${account}:${repository}`;
}
