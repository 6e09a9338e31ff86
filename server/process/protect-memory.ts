import { writeFileSync } from 'node:fs';

/**
 * Keeps other processes out of the server's memory, where the keys are, as far as a process can do so itself. program-start.sh has
 * usually done it already, but not when the server was started as `node <file>`.
 */
export function protectMemory(): void {
  try {
    // A core dump then holds registers alone (core(5), "Controlling which mappings are written to the core dump").
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // Only Linux has this file.
  }
  // Express and its parts would write every URL, secrets and all, to standard error.
  delete process.env.DEBUG;
  if (process.execArgv.includes('--disable-sigusr1')) return;
  // At this signal Node opens its inspector, on a port that every local user can connect to. A listener of our own prevents that; an
  // inspector that an earlier signal has opened is closed below.
  process.on('SIGUSR1', () => {});
  if (process.execArgv.some((option) => option.startsWith('--inspect'))) return;
  const { url, close } = process.getBuiltinModule('node:inspector');
  if (url() !== undefined) close();
}
