import type { AgentStatus } from '../agent/protocol/messages.ts';

/** The shell that evaluates the assignments: `shell` is for sh, bash and zsh. */
export type VariableFormat = 'shell' | 'fish';

/**
 * A session as assignments for a shell to evaluate, one a line. Addresses come from a server, so every value is quoted.
 *
 * @param session null when there is none
 * @param ended why the server has ended it, if it has
 * @param server the server's URL; null when it is not known
 */
export function sessionVariables(
  { session, ended, server }: { session: AgentStatus['session']; ended?: string | undefined; server: string | null },
  format: VariableFormat,
): string {
  const expiresAt = session === null ? '' : `${Math.floor(Date.parse(session.expiresAt) / 1000)}`;
  return Object.entries({
    VOUCH_SESSION: session === null ? 'no' : 'yes',
    VOUCH_EMAIL: session?.email ?? '',
    VOUCH_EXPIRES_AT: expiresAt,
    VOUCH_ENDED: ended ?? '',
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
