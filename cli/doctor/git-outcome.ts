import { printable } from '../text/printable.ts';
import type { GitAnswer } from './git-process.ts';
import { withoutPassword } from './network-settings.ts';

/** How Git's request ended, read from Git's messages (with LC_ALL=C). */
export type GitOutcome =
  | 'done'
  /** The server was reached, but Git had no user name and password. */
  | 'no-credentials'
  /** The server did not take the user name and password. */
  | 'refused'
  | 'forbidden'
  | 'not-found'
  /** A helper has answered `quit`. */
  | 'quit'
  /** protocol.<name>.allow forbids it. */
  | 'not-allowed'
  | 'no-remote-helper'
  | 'tls'
  | 'proxy'
  | 'unreachable'
  | 'late'
  | 'busy'
  | 'other';

/** The first match counts: later errors may only be consequences. */
const patterns: [GitOutcome, RegExp][] = [
  ['not-allowed', /transport '' not allowed/],
  ['no-remote-helper', /remote helper for ''|git: '' is not a git command/],
  ['quit', /told us to quit/],
  ['proxy', /proxy|HTTP code \d+ from proxy|CONNECT tunnel failed/i],
  ['tls', /SSL|TLS|certificate|CAfile|CApath/],
  [
    'unreachable',
    /Could not resolve host|Failed to connect|Connection (refused|reset|timed out)|Empty reply|Couldn't connect/i,
  ],
  ['forbidden', /returned error: 403/],
  ['not-found', /repository '' not found|returned error: 404/],
  ['busy', /returned error: (429|5\d\d)/],
  ['refused', /Authentication failed for|returned error: 40[01]/],
  ['no-credentials', /could not read (Username|Password)/],
];

export function gitOutcome({ code, stderr, late }: GitAnswer): GitOutcome {
  if (late) return 'late';
  if (code === 0) return 'done';
  // Without the server's message and the repository's name.
  const said = stderr.replace(/^remote:.*$/gm, '').replace(/'[^'\n]*'/g, "''");
  return patterns.find(([, pattern]) => pattern.test(said))?.[0] ?? 'other';
}

/** Git's own message about the failure, as one line. */
export function gitSaid({ stderr }: GitAnswer): string {
  const lines = stderr.split('\n').filter((line) => /^(fatal|error|remote|vouch|git):?/.test(line));
  const meant = lines.filter((line) => !/told us to quit/.test(line));
  return printable(withoutPassword((meant.length > 0 ? meant : lines).join(' ')), 400);
}
