import { shellWord } from '../aws/config/command-line.ts';
import { Problem } from '../problem/problem.ts';
import { credentialHelperScript } from '../programs.ts';

/** The name and the value of one of Git's settings. */
export type ConfigPair = readonly [key: string, value: string];

/**
 * Git's settings for one transfer. With them a transfer needs no `vouch setup codecommit`, and no other configuration can disturb it.
 *
 * @param url the repository's HTTPS URL
 * @param profile.named the AWS profile that the remote's URL names
 * @param profile.configured the AWS profile that Git's configuration names for Vouch's helper at this URL
 */
export function transferSettings(
  url: string,
  profile: { named?: string | undefined; configured?: string | undefined },
): ConfigPair[] {
  const script = [credentialHelperScript(), '--node', process.execPath];
  const options = profile.configured === undefined ? [] : ['--profile', profile.configured];
  const settings: ConfigPair[] = [
    // An empty value clears the helpers before it. Otherwise Git would tell them to store Vouch's password.
    [`credential.${url}.helper`, ''],
    [`credential.${url}.helper`, `!${[...script, ...options].map(shellWord).join(' ')}`],
    [`credential.${url}.useHttpPath`, 'true'],
    // CodeCommit never allows anonymous access. This saves Git 2.46 and later the round trip to find that out.
    [`http.${url}.proactiveAuth`, 'basic'],
  ];
  // Vouch chooses by the user name first. Git takes the last one in its configuration, so ours overrides all others.
  if (profile.named !== undefined) settings.push([`credential.${url}.username`, profile.named]);
  return settings;
}

/**
 * Adds settings to those that Git finds in its environment already (git-config(1), GIT_CONFIG_COUNT).
 *
 * @throws Problem `git-config-count` when GIT_CONFIG_COUNT is not a number
 */
export function withSettings(env: NodeJS.ProcessEnv, settings: readonly ConfigPair[]): NodeJS.ProcessEnv {
  const count = env.GIT_CONFIG_COUNT ?? '';
  if (!/^\d{0,6}$/.test(count)) {
    throw new Problem({
      kind: 'git-config-count',
      what: `GIT_CONFIG_COUNT is not a number: ${count}`,
      why: 'Git reads from it how many settings are in the environment.',
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
 * Options that repeat the settings on Git's command line, if there are settings on it already. Those override settings in the
 * environment: JetBrains' IDEs call every `git` with `-c credential.helper=`, which would clear our helper.
 */
export function repeatedSettings(env: NodeJS.ProcessEnv, settings: readonly ConfigPair[]): string[] {
  return env.GIT_CONFIG_PARAMETERS ? settings.flatMap(([key, value]) => ['-c', `${key}=${value}`]) : [];
}
