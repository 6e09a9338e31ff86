import type { AgentStatus } from '../agent/protocol/messages.ts';

/** For which shell the assignments are: sh, bash and zsh, or fish. */
export type VariableFormat = 'shell' | 'fish';

/**
 * A session as assignments for a shell to evaluate, one a line. Addresses come from a server: whatever they hold stays text.
 *
 * @param session null when nobody is signed in
 * @param server the server's URL; null when it is not known
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

/** One assignment, as a line. Within single quotes only the closing quote is special, and in fish the backslash. */
export function assignment(name: string, value: string, format: VariableFormat): string {
  if (format === 'fish') return `set -g ${name} '${value.replace(/[\\']/g, '\\$&')}'\n`;
  return `${name}='${value.replaceAll("'", "'\\''")}'\n`;
}
