import { type CredentialEntry, credentialEntries, type Origin } from './credential-entries.ts';
import { bytes, type CredentialUrl, credentialUrl, inBytes, parseUrl, partMatches } from './credential-url.ts';
import { storesNothing } from './helpers-that-store-nothing.ts';
import { type NormalUrl, normalizeUrl, urlMatches } from './url-match.ts';
import { type VouchHelper, vouchHelper } from './vouch-helper.ts';

/** Git's settings about credentials, from all of its files, as they take effect for one URL. */

export interface ConfiguredHelper {
  value: string;
  /** `credential.<url>`; undefined when it is for every URL. */
  section: string | undefined;
  origin: Origin;
  /** Set when the helper is Vouch's. */
  vouch: VouchHelper | undefined;
}

export interface CredentialConfig {
  /** The helpers that Git asks for this URL, in Git's order, without the helpers that an empty `helper =` has cleared. */
  helpers: ConfiguredHelper[];
  /** Where the empty `helper =` stands, if no helper comes after it. */
  cleared: Origin | undefined;
  useHttpPath: { value: boolean; origin: Origin } | undefined;
  username: { value: string; origin: Origin } | undefined;
  /** `credential.interactive`: whether a person may be asked. Git has it since 2.47, Git Credential Manager had it before. */
  interactive: string | undefined;
}

/**
 * What Git does about credentials for a URL: which helpers it asks and in which order, whether it sends them the path, and
 * which user name it starts with. Every section that matches counts, in the order in which Git reads its files; a more
 * specific section does not override others.
 *
 * @param url a repository's URL
 * @param cwd the folder where Git would run
 * @throws Problem `no-git`, `git-config`
 */
export async function credentialConfig(url: string, env: NodeJS.ProcessEnv, cwd?: string): Promise<CredentialConfig> {
  return configFor(url, await credentialEntries(env, cwd));
}

/**
 * As `credentialConfig`, from settings that have been read already.
 *
 * @param asked a repository's URL, or what Git asks a helper for
 */
export function configFor(asked: string | CredentialUrl, entries: readonly CredentialEntry[]): CredentialConfig {
  const { protocol, host, path, username: given } = typeof asked === 'string' ? parseUrl(asked) : inBytes(asked);
  const whole = protocol && host ? normalizeUrl(credentialUrl({ protocol, host, path, username: given })) : undefined;
  const found: CredentialConfig = {
    helpers: [],
    cleared: undefined,
    useHttpPath: undefined,
    username: undefined,
    interactive: undefined,
  };
  const patterns = new Map<string, NormalUrl | undefined>();
  for (const { section, name, value, origin } of entries) {
    if (section !== undefined) {
      const text = section.slice('credential.'.length);
      if (!patterns.has(section)) patterns.set(section, normalizeUrl(text, { pattern: true }));
      const pattern = patterns.get(section);
      const username = given || (found.username ? bytes(found.username.value) : given);
      const matches = pattern
        ? whole !== undefined && urlMatches(whole, pattern)
        : partMatches(parseUrl(text), { protocol, host, path, username });
      // A section that is not UTF-8 was not decoded as Git would do it, so the section may be for this URL.
      if (!matches && !section.includes('\uFFFD')) continue;
    }
    if (name === 'helper') found.cleared = value === '' ? origin : undefined;
    if (name === 'helper' && value === '') found.helpers = [];
    else if (name === 'helper') found.helpers.push({ value, section, origin, vouch: vouchHelper(value) });
    else if (name === 'usehttppath') found.useHttpPath = { value: isTrue(value), origin };
    else if (name === 'username' && !given) found.username = { value, origin };
    else if (name === 'interactive') found.interactive = value;
  }
  return found;
}

/**
 * The helpers that an older Git would tell to store Vouch's password. After a request that worked, Git tells every helper for the URL
 * (`credential_approve` in Git's sources): helpers before Vouch as well as helpers after it.
 *
 * @param isSafe whether a helper is certain to store nothing
 */
export function storingHelpers(config: CredentialConfig, isSafe = storesNothing): ConfiguredHelper[] {
  return config.helpers.filter(({ value }) => !isSafe(value));
}

/** Git's booleans (git-config(1), "Values"): true, yes, on and every number but 0. */
function isTrue(value: string): boolean {
  return /^(true|yes|on)$/i.test(value) || (/^-?\d+[kmg]?$/i.test(value) && Number.parseInt(value, 10) !== 0);
}
