import { writeFileSync } from 'node:fs';

/**
 * Leaves this process's memory out of a dump, should it crash. The limit of 0 that it is started with (start.ts) is for dumps into
 * files alone: where the system hands them to a program (apport, a container's host), that one gets all of it and may write it to the
 * disk (core(5), "Piping core dumps to a program"). What a dump holds the process itself may say (core(5), "Controlling which
 * mappings are written to the core dump"): here nothing, so that only the registers are left. Other systems than Linux have no such
 * file.
 */
export function keepFromDumps(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {}
}
