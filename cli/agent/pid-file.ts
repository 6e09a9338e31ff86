import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `agent.pid` in the runtime folder says which process has the agent's sockets, so that one that no longer answers can be ended.
 * A number alone may have become another process's; so the file also holds when the process began, as the system tells it.
 */
export interface AgentProcess {
  pid: number;
  /** See startOf. */
  start: string;
}

const pidFile = (folder: string) => join(folder, 'agent.pid');

/** Writes down that this process has the sockets. On a full disk it is left out: then a hung agent is to be ended by hand. */
export function writePidFile(folder: string): void {
  const file = pidFile(folder);
  try {
    // Not what an earlier one has left, even where the next line fails.
    rmSync(file, { force: true });
    writeFileSync(file, `${process.pid} ${startOf(process.pid) ?? ''}\n`, { flag: 'wx', mode: 0o600 });
  } catch {}
}

/** Removes the file if it speaks of this process. */
export function removePidFile(folder: string): void {
  if (readPidFile(folder)?.pid === process.pid) rmSync(pidFile(folder), { force: true });
}

/** What the file says, or undefined when there is none that says anything. */
export function readPidFile(folder: string): AgentProcess | undefined {
  let text: string;
  try {
    text = readFileSync(pidFile(folder), 'utf8');
  } catch {
    return undefined;
  }
  const [, pid, start = ''] = /^(\d{1,10}) (.{1,100})\n$/.exec(text) ?? [];
  return pid === undefined ? undefined : { pid: Number(pid), start };
}

/** Whether the very process still runs, and not a later one of its number. */
export function isRunning({ pid, start }: AgentProcess): boolean {
  return startOf(pid) === start;
}

/**
 * When a process began: on Linux in ticks since the machine did (proc_pid_stat(5), starttime) and at which of its starts
 * (random(4), boot_id), as numbers and ticks are given out again after the next; elsewhere in the words of ps(1).
 *
 * @returns undefined when it has ended, though its parent may not have noticed yet, or nothing can be found out
 */
export function startOf(pid: number, platform: NodeJS.Platform = process.platform): string | undefined {
  try {
    if (platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // The second field is the program's name in brackets, and may hold anything.
      const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if ('ZX'.includes(state)) return undefined;
      return `${fields[18]} ${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}`;
    }
    // Loaded here, as an agent on Linux would hold it for nothing.
    const { execFileSync } = process.getBuiltinModule('node:child_process');
    // Each in an option of its own: what follows a `=` is a heading, commas and all.
    const [, state = '', start] =
      /^(\S+)\s+(\S.*\S)\s*$/.exec(
        execFileSync('/bin/ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)], {
          encoding: 'latin1',
          env: { LC_ALL: 'C', TZ: 'UTC' },
          stdio: ['ignore', 'pipe', 'ignore'],
          timeout: 2000,
        }),
      ) ?? [];
    return state.startsWith('Z') ? undefined : start;
  } catch {
    return undefined;
  }
}
