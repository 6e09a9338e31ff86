/** A path as a person writes it, with ~ for the home folder. */
export function shortPath(path: string, env: NodeJS.ProcessEnv): string {
  const { HOME: home } = env;
  return home && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
