import type { AgentStatus } from '../agent/protocol.ts';

/** A session as assignments of a shell, to be evaluated there: for sh, bash and zsh, or for fish. */
export type VariableFormat = 'shell' | 'fish';

/**
 * The assignments, one a line. Addresses come from a server: whatever is in them stays text.
 *
 * @param session who is signed in, if anybody is
 * @param server the server's URL, as far as it is known
 */
export function sessionVariables(
  session: AgentStatus['session'],
  server: string | null,
  format: VariableFormat,
): string {
  const expiresAt = session === null ? '' : `${Math.floor(Date.parse(session.expiresAt) / 1000)}`;
  return Object.entries({
    VOUCH_SESSION: session === null ? 'no' : 'yes',
    VOUCH_EMAIL: session?.email ?? '',
    VOUCH_EXPIRES_AT: expiresAt,
    VOUCH_SERVER: server ?? '',
  })
    .map(([name, value]) => assignment(name, value, format))
    .join('');
}

/** One assignment, as a line: within single quotes nothing means anything but what ends them, and in fish a backslash. */
export function assignment(name: string, value: string, format: VariableFormat): string {
  if (format === 'fish') return `set -g ${name} '${value.replace(/[\\']/g, '\\$&')}'\n`;
  return `${name}='${value.replaceAll("'", "'\\''")}'\n`;
}
