import { readFileSync } from 'node:fs';

/**
 * Whether this process is a background job of its terminal (`git fetch &`): another process group has the terminal, and the
 * person's attention. Node has no tcgetpgrp(3), so this asks the system: proc(5) on Linux, ps(1) elsewhere.
 *
 * @returns false also without a terminal, or when the system does not report it
 */
export function isInBackground(): boolean {
  const { group, foreground } = ofProc() ?? ofPs() ?? { group: 0, foreground: 0 };
  // The foreground group is -1 without a terminal, and 0 if it is in another PID namespace.
  return foreground > 0 && foreground !== group;
}

interface Groups {
  /** Our own process group. */
  group: number;
  /** The process group that has our terminal. */
  foreground: number;
}

/** proc_pid_stat(5): the name in parentheses may hold anything. After it come state, ppid, pgrp, session, tty_nr and tpgid. */
function ofProc(): Groups | undefined {
  let stat: string;
  try {
    stat = readFileSync('/proc/self/stat', 'latin1');
  } catch {
    return undefined;
  }
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return groupsOf(group, foreground);
}

function ofPs(): Groups | undefined {
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { stdout } = spawnSync('ps', ['-o', 'pgid=', '-o', 'tpgid=', '-p', String(process.pid)], {
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    timeout: 2000,
  });
  const [group, foreground] = (stdout ?? '').trim().split(/\s+/);
  return groupsOf(group, foreground);
}

function groupsOf(group: string | undefined, foreground: string | undefined): Groups | undefined {
  const found = { group: Number(group), foreground: Number(foreground) };
  return Number.isInteger(found.group) && Number.isInteger(found.foreground) ? found : undefined;
}
