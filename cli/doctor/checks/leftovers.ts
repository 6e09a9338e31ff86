import { count } from '../../text/count.ts';
import type { Check, Finding, Visit } from '../check.ts';
import { oldHelpers } from '../leftovers/git-helpers.ts';
import { inKeychain } from '../leftovers/keychain.ts';
import { oldRemoteHelpers } from '../leftovers/remote-helpers.ts';
import { oldRemotes } from '../leftovers/remotes.ts';
import { oldSshKeys } from '../leftovers/ssh-keys.ts';
import { storedPasswords } from '../leftovers/stored-passwords.ts';

/** What is left of other ways to CodeCommit: it does no harm to Vouch, but secrets may lie there (docs/migrating.md). */
export const leftovers: Check = {
  id: 'leftovers',
  title: 'Old ways',
  needs: () => ['git'],
  applies: async (visit) => (await look(visit).catch(() => [])).length > 0,
  run: async (visit) => {
    const findings = await look(visit);
    return { says: `${count(findings.length, 'thing')} left of other ways to CodeCommit`, findings };
  },
};

async function look(visit: Visit): Promise<Finding[]> {
  const all = [
    ...(await oldHelpers(visit)),
    ...oldRemoteHelpers(visit),
    ...(await oldRemotes(visit)),
    ...oldSshKeys(visit),
    ...(await storedPasswords(visit)),
    ...inKeychain(visit),
  ];
  // What is to be done at AWS is said once.
  const said = new Set<string>();
  return all.map((finding) => {
    const steps = finding.steps?.filter((step) => !said.has(step)) ?? [];
    for (const step of steps) said.add(step);
    return { ...finding, steps };
  });
}
