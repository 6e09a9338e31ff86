import { shellWord } from '../aws/config/command-line.ts';
import { Problem } from '../problem/problem.ts';
import { credentialHelperScript } from '../programs.ts';

/** A setting of Git's: its name, and its value. */
export type ConfigPair = readonly [key: string, value: string];

/**
 * What Git must know for one transfer, so that it works without `vouch setup codecommit` and whatever else is configured.
 *
 * @param url the repository's HTTPS URL
 * @param profile.named the AWS profile that the remote's URL names
 * @param profile.configured the one that Git's configuration names on Vouch's helper for this URL
 */
export function transferSettings(
  url: string,
  profile: { named?: string | undefined; configured?: string | undefined },
): ConfigPair[] {
  const script = [credentialHelperScript(), '--node', process.execPath];
  const options = profile.configured === undefined ? [] : ['--profile', profile.configured];
  const settings: ConfigPair[] = [
    // An empty value clears the helpers before it: they would be told to store what Vouch gave.
    [`credential.${url}.helper`, ''],
    [`credential.${url}.helper`, `!${[...script, ...options].map(shellWord).join(' ')}`],
    [`credential.${url}.useHttpPath`, 'true'],
    // CodeCommit is never anonymous: Git 2.46 and later then need not be told so by a round trip.
    [`http.${url}.proactiveAuth`, 'basic'],
  ];
  // A user name is what Vouch goes by first, and of several in Git's configuration the last counts: not one from elsewhere.
  if (profile.named !== undefined) settings.push([`credential.${url}.username`, profile.named]);
  return settings;
}

/**
 * The environment in which Git has settings besides those that it has there already (git-config(1), GIT_CONFIG_COUNT).
 *
 * @throws Problem `git-config-count` when what is there is not a number
 */
export function withSettings(env: NodeJS.ProcessEnv, settings: readonly ConfigPair[]): NodeJS.ProcessEnv {
  const count = env.GIT_CONFIG_COUNT ?? '';
  if (!/^\d{0,6}$/.test(count)) {
    throw new Problem({
      kind: 'git-config-count',
      what: `GIT_CONFIG_COUNT is not a number: ${count}`,
      why: 'It tells Git how many settings there are in the environment.',
      fix: 'Correct or unset it, then try again.',
    });
  }
  const first = Number(count);
  return {
    ...env,
    GIT_CONFIG_COUNT: String(first + settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], i) => [
        [`GIT_CONFIG_KEY_${first + i}`, key],
        [`GIT_CONFIG_VALUE_${first + i}`, value],
      ]),
    ),
  };
}

/**
 * The options that repeat the settings on Git's command line, where Git has got settings that way itself: these count after
 * those in the environment. JetBrains' IDEs call every `git` with `-c credential.helper=`, which would clear ours.
 */
export function repeatedSettings(env: NodeJS.ProcessEnv, settings: readonly ConfigPair[]): string[] {
  return env.GIT_CONFIG_PARAMETERS ? settings.flatMap(([key, value]) => ['-c', `${key}=${value}`]) : [];
}
