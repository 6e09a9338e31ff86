import { writeFileSync } from 'node:fs';

/**
 * Keeps others from looking into this process's memory, as far as a process can do that by itself. Each of our programs calls it
 * first: they are normally started closed (program-start.sh, agent/client/start.ts), but `node <file>` is possible too.
 */
export function protectMemory(): void {
  keepFromDumps();
  // At this signal Node opens its inspector, on a port that every local user can connect to. A listener of ours prevents that.
  if (!process.execArgv.includes('--disable-sigusr1')) process.on('SIGUSR1', () => {});
}

/**
 * Leaves our memory out of a core dump, should we crash. We are started with a core file limit of 0, but that limit does not hold
 * where the system pipes dumps to a program (apport, a container's host): that program gets everything and may write it to the disk
 * (core(5), "Piping core dumps to a program"). A process may choose what its dump holds (core(5), "Controlling which mappings are
 * written to the core dump"). Here that is no memory at all, only the registers. Systems other than Linux have no such file.
 */
function keepFromDumps(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {}
}
