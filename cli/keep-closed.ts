import { writeFileSync } from 'node:fs';

/**
 * Keeps others from looking into this process's memory, as far as a process can do that by itself. To be called first by each of
 * our programs: they are started closed (program-start.sh, agent/client/start.ts), but `node <file>` is possible too.
 */
export function keepClosed(): void {
  keepFromDumps();
  // By itself Node opens its inspector at this signal, on a port that every local user can connect to; whoever listens for it takes
  // it away from the inspector.
  if (!process.execArgv.includes('--disable-sigusr1')) process.on('SIGUSR1', () => {});
}

/**
 * Leaves the memory out of a dump, should we crash. The limit of 0 that we are started with is for dumps into files alone: where the
 * system hands them to a program (apport, a container's host), that one gets all of it and may write it to the disk (core(5), "Piping
 * core dumps to a program"). What a dump holds the process itself may say (core(5), "Controlling which mappings are written to the
 * core dump"): here nothing, so that only the registers are left. Other systems than Linux have no such file.
 */
function keepFromDumps(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {}
}
