import type { Finding, Visit } from './check.ts';
import { gitSaid } from './explain-git.ts';
import { networkTrouble } from './network-trouble.ts';
import type { Reply } from './repository.ts';
import type { Target } from './target.ts';

/** What is the same for pull and push: trouble on the way to the repository, and with who we are. */
export async function explainReply(check: 'pull' | 'push', { answer, outcome }: Reply, visit: Visit): Promise<Finding> {
  const said = gitSaid(answer);
  const finding = (what: string, why: string[], fix: string[]): Finding => ({
    id: `${check}.${outcome}`,
    severity: 'trouble',
    what,
    why: [...why, ...(said === '' ? [] : [`Git says: ${said}`])],
    fix,
  });
  switch (outcome) {
    case 'tls':
    case 'proxy':
    case 'unreachable':
      return networkTrouble(check, said, visit);
    case 'late':
      return networkTrouble(check, 'It did not answer in time.', visit);
    case 'busy':
      return finding('CodeCommit could not serve the request.', [], ['Try again in a minute.']);
    case 'refused':
      return finding(
        'CodeCommit did not take the user name and password.',
        ['They are not those that Vouch gives: another helper, or a password in the URL, came first.'],
        ['Take the password out of the URL (`git remote -v`), and see above which helpers Git asks.'],
      );
    case 'no-credentials':
      return finding(
        'Git was given no user name and password.',
        ["Git's helper did not answer, and said nothing."],
        ['See above which helpers Git asks.'],
      );
    case 'quit':
      return finding("Git's helper gave no credentials.", [], ['Do what it says, then run `vouch doctor` again.']);
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
      return finding('Git failed.', [], ['Mend what it says, then run `vouch doctor` again.']);
  }
}

/** The repository's ARN, as policies name it. */
export function repositoryArn({ host, repository }: Target, account: string): string {
  return `arn:${host.partition.id}:codecommit:${host.region}:${account}:${repository}`;
}
