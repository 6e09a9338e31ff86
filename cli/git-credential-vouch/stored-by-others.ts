import { findOnPath } from '../files/on-path.ts';
import { type CredentialEntry, credentialEntries } from '../git/credential-entries.ts';
import type { CredentialUrl } from '../git/credential-url.ts';
import { type CredentialConfig, configFor, storingHelpers } from '../git/effective-config.ts';
import { storesNothing } from '../git/helpers-that-store-nothing.ts';
import { fixFor, helperLabel } from '../git/obstacles.ts';
import { asProblem, Problem } from '../problem/problem.ts';

/**
 * Makes sure that none of Git's other helpers will store Vouch's password. A Git older than 2.54 passes a user name and password that
 * worked to every helper that is configured for the URL, and `store` writes them to the disk.
 *
 * @param asked the URL of Git's request
 * @param env the helper's environment, which also contains the settings of `git -c`
 * @throws Problem `would-store`, `git-config`
 */
export async function refuseIfStoredByOthers(asked: CredentialUrl, env: NodeJS.ProcessEnv): Promise<void> {
  const entries = await credentialEntries(env).catch((error: unknown) => {
    // Without Git, another program asks, and Git's helpers store nothing.
    if (asProblem(error).kind === 'no-git') return undefined;
    throw error;
  });
  if (entries === undefined) return;
  // Git prefers a program to an alias of the same name.
  const isAlias =
    entries.some(({ name }) => name === 'credential-vouch') && findOnPath('git-credential-vouch', env).length === 0;
  const isSafe = (value: string) => storesNothing(value) && !(isAlias && /^vouch\b/.test(value));
  // Usually no other helper is for this URL. Then we need not match all sections against the URL, which saves time while Git waits.
  const others = entries.filter(
    ({ name, value }) => name === 'username' || (name === 'helper' && value !== '' && !isSafe(value)),
  );
  if (settingsFor(asked, others).every(({ helpers }) => helpers.length === 0)) return;
  // We report the helper that Git reads last. A fix that puts Vouch after it puts Vouch after the others too.
  const helper = settingsFor(asked, entries)
    .map((config) => storingHelpers(config, isSafe).at(-1))
    .find(Boolean);
  if (helper === undefined) return;
  throw new Problem({
    kind: 'would-store',
    what: `Git would have ${helperLabel(helper)} store what Vouch gives, so Vouch gives nothing.`,
    why: 'A Git older than 2.54 passes a password that worked to every helper for the URL.',
    fix: `${fixFor(helper.origin, asked.host)} Then try again.`,
    category: 'refused',
  });
}

function settingsFor(asked: CredentialUrl, entries: readonly CredentialEntry[]): CredentialConfig[] {
  const configs = [configFor(asked, entries)];
  // Git chooses the sections before it takes a user name from its configuration. So sections for that name may not apply.
  const unnamed = configFor({ ...asked, username: undefined }, entries);
  if (asked.username && unnamed.username?.value === asked.username) configs.push(unnamed);
  return configs;
}
