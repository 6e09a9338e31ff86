import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** The flag of a descriptor that a program that we become, or start, does not get (O_CLOEXEC as proc_pid_fdinfo(5) shows it). */
const closedOnExec = 0o2000000;

/**
 * Closes the descriptors that whoever started us has left open: a lock of theirs would be held, and the reader of a pipe of theirs
 * would wait, for as long as we live. What Node and we open ourselves is closed at an exec; what has come through one is not. Only
 * Linux tells; elsewhere the shell that starts us does what it can (start.ts).
 *
 * @param kept those that are meant for us
 */
export function closeInherited(kept: readonly number[]): void {
  let open: string[];
  try {
    open = readdirSync('/proc/self/fdinfo');
  } catch {
    return;
  }
  for (const descriptor of open.map(Number)) {
    if (descriptor <= 2 || kept.includes(descriptor)) continue;
    try {
      const [, flags = ''] =
        /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1')) ?? [];
      if (flags !== '' && (Number.parseInt(flags, 8) & closedOnExec) === 0) closeSync(descriptor);
    } catch {
      // The one that the list was read with.
    }
  }
}
