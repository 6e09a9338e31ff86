/** What a program may take over from the machine: nothing that changes what Git, AWS's SDK or Node do. */
const KEPT = ['LANG', 'LC_ALL', 'TERM', 'COLORTERM', 'NO_COLOR', 'TZ', 'USER', 'LOGNAME', 'SHELL', 'COLUMNS', 'LINES'];

/**
 * An environment from scratch. Inherited GIT_*, AWS_*, proxy, CA and XDG variables would reach into it: a machine-wide
 * GIT_SSL_CAINFO beats http.sslCAInfo, an AWS_PROFILE chooses a role.
 *
 * @param more what is set besides
 */
export function cleanEnvironment(more: Record<string, string>): Record<string, string> {
  const kept = KEPT.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), PATH: process.env.PATH ?? '/usr/bin:/bin', ...more };
}
