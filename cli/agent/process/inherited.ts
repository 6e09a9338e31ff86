import { closeSync } from 'node:fs';

/** What comes before the descriptors, with commas between them, among the agent's arguments. */
const argument = '--inherited=';

/**
 * Closes the descriptors that whoever started us has left open: a lock of theirs would be held, and the reader of a pipe of theirs
 * would wait, for as long as we live. The shell that becomes us tells which they are (start.ts), as it cannot close them all. To look
 * by ourselves would be too late: a thread of Node's may have opened one meanwhile (it reads certificates), and would later close
 * what has its number by then, such as our socket.
 */
export function closeInherited(args: readonly string[]): void {
  const told = args.find((arg) => arg.startsWith(argument)) ?? argument;
  for (const descriptor of told.slice(argument.length).split(',').map(Number)) {
    try {
      if (descriptor > 2) closeSync(descriptor);
    } catch {
      // It was not left open.
    }
  }
}
