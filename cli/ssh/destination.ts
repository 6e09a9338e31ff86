import { Problem } from '../problem/problem.ts';

/**
 * Makes sure that ssh takes this for a host (ssh(1), "destination"), and that no program which it hands the name to (ProxyCommand,
 * LocalCommand, `Match exec`) can take it for an option or for something to run. OpenSSH itself is as strict only since version 9.6.
 *
 * @param destination `[user@]host`, an alias of ~/.ssh/config, or `ssh://[user@]host[:port]`
 * @throws Problem `usage`
 */
export function checkDestination(destination: string): void {
  const address = destination.replace(/^ssh:\/\//, '');
  // A user name may itself have an @: ssh splits at the last one.
  const [, user, host = ''] = /^(?:(.*)@)?([^@]*)$/s.exec(address) ?? [];
  const plainHost = /^\[?[\p{L}\p{N}_:][\p{L}\p{N}_.:%[\]-]*$/u.test(host);
  // Names of Windows domains have a backslash.
  const plainUser = user === undefined || /^[\p{L}\p{N}_.+][\p{L}\p{N}_.+@\\-]*$/u.test(user);
  if (plainHost && plainUser && destination.length <= 512) return;
  throw new Problem({
    kind: 'usage',
    what: `This is not the name of an SSH host: ${destination}`,
    why: 'It may have letters, digits, and some of . _ - : % @, and does not begin with a hyphen.',
    fix: 'Options of ssh follow after the host and `--`, as in `vouch lend ssh build.example.com -- -p 2222`.',
  });
}
