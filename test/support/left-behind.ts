import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that outlived the tests. */
export interface LeftBehind {
  pid: number;
  /** Its command line. */
  command: string;
}

/**
 * Ends the processes that tests have started and not ended. Their environment, command line or working folder names the folder
 * in which all tests work. Does nothing on systems other than Linux (proc_pid_environ(5)).
 *
 * @param grace how long the last processes may take to end by themselves, in milliseconds
 * @returns the processes that it had to end
 */
export async function endLeftBehind(folder: string, grace = 10_000): Promise<LeftBehind[]> {
  const until = performance.now() + grace;
  let found = processesOf(folder);
  while (found.length > 0 && performance.now() < until) {
    await sleep(100);
    found = processesOf(folder);
  }
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

function processesOf(folder: string): LeftBehind[] {
  if (process.platform !== 'linux') return [];
  const within = `${folder}/`;
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    const command = told(() => readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim());
    const isOurs =
      command.includes(within) ||
      told(() => readFileSync(`/proc/${name}/environ`, 'latin1')).includes(within) ||
      `${told(() => readlinkSync(`/proc/${name}/cwd`))}/`.startsWith(within);
    // A zombie has no command line.
    return isOurs && command !== '' ? [{ pid: Number(name), command }] : [];
  });
}

function told(look: () => string): string {
  try {
    return look();
  } catch {
    // It belongs to another user, or has ended meanwhile.
    return '';
  }
}
