import { writeFileSync } from 'node:fs';

/**
 * Keeps debuggers and core dumps away from this process's memory, as far as a process can do that itself. Each of our programs calls
 * this first. Normally the programs are already started in a protected way (program-start.sh, agent/client/start.ts), but a person may
 * also run `node <file>`.
 */
export function protectMemory(): void {
  keepFromDumps();
  // At this signal Node would open its inspector, on a port that every local user can connect to. Our listener prevents that.
  if (!process.execArgv.includes('--disable-sigusr1')) process.on('SIGUSR1', () => {});
}

/**
 * Leaves our memory out of a core dump, should we crash. We are started with a core file limit of 0, but the limit does not apply if
 * the system pipes dumps to a program (apport, a container's host): that program gets the whole dump and may write it to the disk
 * (core(5), "Piping core dumps to a program"). A process may choose what its dump contains (core(5), "Controlling which mappings are
 * written to the core dump"). We choose only the registers, and no memory. Systems other than Linux have no such file.
 */
function keepFromDumps(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {}
}
