/** The variables that a program may inherit: none changes what Git, AWS's SDK or Node do. */
const KEPT = ['LANG', 'LC_ALL', 'TERM', 'COLORTERM', 'NO_COLOR', 'TZ', 'USER', 'LOGNAME', 'SHELL', 'COLUMNS', 'LINES'];

/**
 * An environment from scratch. Inherited GIT_*, AWS_*, proxy, CA and XDG variables would change a test: a machine-wide
 * GIT_SSL_CAINFO overrides http.sslCAInfo, and AWS_PROFILE chooses a role.
 *
 * @param more additional variables
 */
export function cleanEnvironment(more: Record<string, string>): Record<string, string> {
  const kept = KEPT.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), PATH: process.env.PATH ?? '/usr/bin:/bin', ...more };
}
