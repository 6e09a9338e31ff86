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

/** The category that an agent names. One of another version may name none, or one that we do not know: then its exit code tells. */
export function readCategory(category: unknown, exitCode: unknown): Category {
  const entries = Object.entries(exitCodes) as [Category, ExitCode][];
  const [known] = entries.find(([name]) => name === category) ?? entries.find(([, code]) => code === exitCode) ?? [];
  return known ?? 'failed';
}
