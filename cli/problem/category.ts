/**
 * What programs decide by when something fails. `usage`: the command line is wrong. `no-session`: a login is needed. `unreachable`:
 * it may pass. `refused`: the server or AWS decided so. `failed`: all the rest.
 */
export type Category = 'usage' | 'no-session' | 'unreachable' | 'refused' | 'failed';

/** The exit codes of every `vouch` command, as docs/cli.md has them. */
export type ExitCode = 1 | 2 | 3 | 4 | 5;

const exitCodes: Record<Category, ExitCode> = {
  failed: 1,
  usage: 2,
  'no-session': 3,
  unreachable: 4,
  refused: 5,
};

export function exitCodeOf(category: Category): ExitCode {
  return exitCodes[category];
}

/** The category that an agent names. An agent of an earlier version names only the exit code. */
export function readCategory(category: unknown, exitCode: unknown): Category {
  const entries = Object.entries(exitCodes) as [Category, ExitCode][];
  return (
    entries.find(([name, code]) => name === category || (category === undefined && code === exitCode))?.[0] ?? 'failed'
  );
}
