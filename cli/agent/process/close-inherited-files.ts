import { closeSync } from 'node:fs';

/** The argument that lists the descriptors, with commas between them. */
const argument = '--inherited=';

/**
 * Closes the descriptors that our starter has left open. An open one would hold its lock, or keep a pipe's reader waiting, as
 * long as the agent runs. The shell that starts us lists those it cannot close (client/start.ts). We cannot look for them here:
 * one of Node's threads may have a file open (it reads certificates). If we closed that, the thread would later close the same
 * number again, when one of our sockets has it.
 */
export function closeInheritedFiles(args: readonly string[]): void {
  const list = args.find((arg) => arg.startsWith(argument)) ?? argument;
  for (const descriptor of list.slice(argument.length).split(',').map(Number)) {
    try {
      if (descriptor > 2) closeSync(descriptor);
    } catch {
      // It is already closed.
    }
  }
}
