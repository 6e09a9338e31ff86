import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that outlives the tests. */
export interface LeftBehind {
  pid: number;
  /** Its command line. */
  command: string;
}

/**
 * Ends the processes that tests have started and not ended. They are known by the folder that all tests' folders are in: it is in
 * their environment, in their command line, or they work there. Only Linux tells (proc_pid_environ(5)).
 *
 * @param patience how long the last ones may take to end, in milliseconds
 * @returns those that did not end by themselves
 */
export async function endLeftBehind(folder: string, patience = 10_000): Promise<LeftBehind[]> {
  const until = performance.now() + patience;
  let found = processesOf(folder);
  while (found.length > 0 && performance.now() < until) {
    await sleep(100);
    found = processesOf(folder);
  }
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended since.
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
    // One that has ended and is not waited for has no command line.
    return isOurs && command !== '' ? [{ pid: Number(name), command }] : [];
  });
}

function told(look: () => string): string {
  try {
    return look();
  } catch {
    // Another user's, or it has ended since.
    return '';
  }
}
