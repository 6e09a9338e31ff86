import { findOnPath } from '../files/on-path.ts';
import {
  type CredentialConfig,
  type CredentialEntry,
  type CredentialUrl,
  configFor,
  credentialEntries,
  storingHelpers,
} from '../git/effective-config.ts';
import { keepsNothing } from '../git/keeps-nothing.ts';
import { fixFor, helperLabel } from '../git/setup/obstacles.ts';
import { asProblem, Problem } from '../problem/problem.ts';

/**
 * Makes sure that no other helper of Git's will store what Vouch is about to give: a Git older than 2.54 hands a user
 * name and password that worked to every helper that is configured for the URL, and `store` writes them to the disk.
 *
 * @param asked what Git asks for
 * @param env the helper's environment: it brings along what `git -c` says
 * @throws Problem `would-store`, `git-config`
 */
export async function refuseIfStoredByOthers(asked: CredentialUrl, env: NodeJS.ProcessEnv): Promise<void> {
  const entries = await credentialEntries(env).catch((error: unknown) => {
    // Where there is no Git, somebody else asks.
    if (asProblem(error).kind === 'no-git') return undefined;
    throw error;
  });
  if (entries === undefined) return;
  // Git prefers a program to an alias.
  const isAlias =
    entries.some(({ name }) => name === 'credential-vouch') && findOnPath('git-credential-vouch', env).length === 0;
  const isSafe = (value: string) => keepsNothing(value) && !(isAlias && /^vouch\b/.test(value));
  // Mostly no other helper is for this URL at all. Then it need not be found out which of the other sections are: Git waits.
  const others = entries.filter(
    ({ name, value }) => name === 'username' || (name === 'helper' && value !== '' && !isSafe(value)),
  );
  if (settingsFor(asked, others).every(({ helpers }) => helpers.length === 0)) return;
  // The one that is read last: what puts Vouch behind it puts it behind the others too.
  const helper = settingsFor(asked, entries)
    .map((config) => storingHelpers(config, isSafe).at(-1))
    .find(Boolean);
  if (helper === undefined) return;
  throw new Problem({
    kind: 'would-store',
    what: `Git would have ${helperLabel(helper)} store what Vouch gives, so Vouch gives nothing.`,
    why: 'A Git older than 2.54 hands a password that worked to every helper it has for a URL.',
    fix: `${fixFor(helper.origin, asked.host)} Then try again.`,
    category: 'refused',
  });
}

function settingsFor(asked: CredentialUrl, entries: readonly CredentialEntry[]): CredentialConfig[] {
  const configs = [configFor(asked, entries)];
  // A user name from the configuration comes after Git has chosen the sections: those for that name may not count.
  const unnamed = configFor({ ...asked, username: undefined }, entries);
  if (asked.username && unnamed.username?.value === asked.username) configs.push(unnamed);
  return configs;
}
