import { userInfo } from 'node:os';
import type { By } from '../audit/audit.ts';

/**
 * Who runs a command, for the audit trail: `cli:` the system user, and who has become root through sudo. Ask before
 * the process switches to the database's owner.
 */
export function whoRuns(): By {
  const { SUDO_USER } = process.env;
  const actor = `cli:${visible(userName())}`;
  // Only sudo itself can have set it for root; everybody else can set it to anything.
  if (process.geteuid?.() !== 0 || SUDO_USER === undefined || SUDO_USER === '') return { actor };
  return { actor, sudoUser: visible(SUDO_USER) };
}

const visible = (name: string) => name.slice(0, 64).replace(/[^\w.@-]/g, '?');

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in /etc/passwd, as in many containers.
    return String(process.geteuid?.() ?? 'unknown');
  }
}
