import { userInfo } from 'node:os';

/**
 * Who runs a command, for the audit trail: `cli:` and the system user. Ask before the process switches to the database's owner.
 */
export function commandActor(): string {
  return `cli:${userName().replace(/[^\w.@-]/g, '?')}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in /etc/passwd, as in many containers.
    return String(process.geteuid?.() ?? 'unknown');
  }
}
