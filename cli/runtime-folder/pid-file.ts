import { readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { readTextFile } from '../files/read-file.ts';

/**
 * `agent.pid` in the runtime folder names the process that has the agent's sockets, so that an agent that no longer answers can
 * be ended. The system may give the number to another process later, so the file also holds when the process began.
 */
export interface AgentProcess {
  pid: number;
  /** See startOf. */
  start: string;
}

const pidFile = (folder: string) => join(folder, 'agent.pid');

/** Writes that this process has the sockets. On a full disk there is no file, and a hung agent has to be ended by hand. */
export function writePidFile(folder: string): void {
  const file = pidFile(folder);
  try {
    // An earlier agent's file goes, even if ours cannot be written.
    rmSync(file, { force: true });
    writeFileSync(file, `${process.pid} ${startOf(process.pid) ?? ''}\n`, { flag: 'wx', mode: 0o600 });
  } catch {}
}

/** Removes the file if it names this process. */
export function removePidFile(folder: string): void {
  if (readPidFile(folder)?.pid === process.pid) rmSync(pidFile(folder), { force: true });
}

/** The file's content; undefined when it is missing or damaged. */
export function readPidFile(folder: string): AgentProcess | undefined {
  let text: string;
  try {
    text = readTextFile(pidFile(folder), 200);
  } catch {
    return undefined;
  }
  const [, pid, start = ''] = /^(\d{1,10}) (.{1,100})\n$/.exec(text) ?? [];
  return pid === undefined ? undefined : { pid: Number(pid), start };
}

/** Whether this very process still runs, and not a later one with the same number. */
export function isRunning({ pid, start }: AgentProcess): boolean {
  return startOf(pid) === start;
}

/** The flag of a socket that listens (__SO_ACCEPTCON in Linux's include/linux/net.h). */
const accepting = 0x10000;

/**
 * Whether a process is an agent of this folder, as far as the system can show. Any program could have written agent.pid, and the
 * process that it names is killed. On Linux an agent has a socket open that is bound in the folder and listens. Elsewhere it is a
 * process that runs our program.
 */
export function isAgent({ pid }: AgentProcess, folder: string, platform: NodeJS.Platform = process.platform): boolean {
  try {
    if (platform !== 'linux') {
      const [, uid, command = ''] = /^\s*(\d+) (.*)/.exec(ps(pid, '-o', 'uid=', '-o', 'command=')) ?? [];
      return Number(uid) === process.getuid?.() && /\/agent\/main\.(cjs|ts)( |$)/.test(command);
    }
    const held = new Set(
      readdirSync(`/proc/${pid}/fd`).map((fd) => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        } catch {
          // It was closed since.
          return undefined;
        }
      }),
    );
    // Columns: number, references, protocol, flags, type, state, inode, and the path (proc_pid_net(5)). The path is that of
    // bind(2): the agent gives its sockets their names afterwards (owned-socket.ts), unless systemd made them
    // (agent/sockets/systemd-sockets.ts). The folder may have another name there: a home is often reached by a link, and
    // `/var/run` is one.
    const here = statSync(folder);
    const isHere = (path: string) => {
      const its = isAbsolute(path) ? statSync(dirname(path), { throwIfNoEntry: false }) : undefined;
      return its?.dev === here.dev && its.ino === here.ino && /^agent\.(\S+\.)?sock$/.test(basename(path));
    };
    return readFileSync('/proc/self/net/unix', 'utf8')
      .split('\n')
      .map((line) => /^\S+ \S+ \S+ ([0-9A-F]+) \S+ \S+ +(\d+) (.+)$/.exec(line))
      .some((row) => {
        const [, flags = '', inode, path = ''] = row ?? [];
        const listens = (Number.parseInt(flags, 16) & accepting) !== 0;
        return listens && held.has(inode) && isHere(path);
      });
  } catch {
    return false;
  }
}

/**
 * When a process began. On Linux: in ticks since the machine's start (proc_pid_stat(5), starttime), with that start's identity
 * (random(4), boot_id), because numbers and ticks repeat after the next start. Elsewhere: as ps(1) prints it.
 *
 * @returns undefined when the process has ended, even if its parent has not noticed, or when the system does not report it
 */
export function startOf(pid: number, platform: NodeJS.Platform = process.platform): string | undefined {
  try {
    if (platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // The second field is the program's name in parentheses, and may hold anything.
      const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if ('ZX'.includes(state)) return undefined;
      return `${fields[18]} ${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}`;
    }
    // Each column has its own option, because everything after a `=` is a heading, even commas.
    const [, state = '', start] = /^(\S+)\s+(\S.*\S)\s*$/.exec(ps(pid, '-o', 'stat=', '-o', 'lstart=')) ?? [];
    return state.startsWith('Z') ? undefined : start;
  } catch {
    return undefined;
  }
}

function ps(pid: number, ...columns: string[]): string {
  // Loaded here, because an agent on Linux does not need it.
  const { execFileSync } = process.getBuiltinModule('node:child_process');
  return execFileSync('/bin/ps', [...columns, '-ww', '-p', String(pid)], {
    encoding: 'latin1',
    env: { LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 2000,
  });
}
