/**
 * What programs decide by when something fails: `usage` is for who typed it to mend, `no-session` ends with a login,
 * `unreachable` may pass, `refused` was decided by the server or by AWS, and `failed` is all the rest.
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

/** The category that an agent names; one of an earlier version names the exit code alone. */
export function readCategory(category: unknown, exitCode: unknown): Category {
  const entries = Object.entries(exitCodes) as [Category, ExitCode][];
  return (
    entries.find(([name, code]) => name === category || (category === undefined && code === exitCode))?.[0] ?? 'failed'
  );
}
