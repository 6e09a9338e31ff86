import { writeFileSync } from 'node:fs';

/**
 * Keeps others from looking into the server's memory, where the keys are, as far as a process can do that by itself. It is usually
 * started closed (program-start.sh), but not as `node <file>`.
 */
export function keepClosed(): void {
  try {
    // Nothing but registers goes into a core dump (core(5), "Controlling which mappings are written to the core dump").
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // Other systems than Linux have no such file.
  }
  // Express and what it is made of would write every address, with what is in it, to standard error.
  delete process.env.DEBUG;
  if (process.execArgv.includes('--disable-sigusr1')) return;
  // By itself Node opens its inspector at this signal, on a port that every local user can connect to; whoever listens for it takes
  // it away from the inspector. One that a signal has opened before we came to this is closed again.
  process.on('SIGUSR1', () => {});
  if (process.execArgv.some((option) => option.startsWith('--inspect'))) return;
  const { url, close } = process.getBuiltinModule('node:inspector');
  if (url() !== undefined) close();
}
