/**
 * Git's settings as the variables that Git reads them from (git-config(1), GIT_CONFIG_COUNT). They come after those that are there
 * already, so that ours count.
 *
 * @param env the environment that they are added to
 * @returns only the variables to set
 */
export function asEnvironment(
  settings: readonly (readonly [key: string, value: string])[],
  env: NodeJS.ProcessEnv = {},
): Record<string, string> {
  const before = /^\d{1,6}$/.test(env.GIT_CONFIG_COUNT ?? '') ? Number(env.GIT_CONFIG_COUNT) : 0;
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: `${before + settings.length}` };
  settings.forEach(([key, value], index) => {
    variables[`GIT_CONFIG_KEY_${before + index}`] = key;
    variables[`GIT_CONFIG_VALUE_${before + index}`] = value;
  });
  return variables;
}
