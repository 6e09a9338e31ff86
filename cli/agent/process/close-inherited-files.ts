import { closeSync } from 'node:fs';

/** The argument that lists the descriptors, with commas between them. */
const argument = '--inherited=';

/**
 * Closes the descriptors that our starter has left open. Otherwise its locks would stay held, and the readers of its pipes would
 * wait, as long as we live. The shell that becomes us lists them (client/start.ts), as it cannot close them all. It is too late to
 * look for them here: a thread of Node's may have opened a file meanwhile (it reads certificates), and would later close whatever
 * has that number by then, such as our socket.
 */
export function closeInheritedFiles(args: readonly string[]): void {
  const told = args.find((arg) => arg.startsWith(argument)) ?? argument;
  for (const descriptor of told.slice(argument.length).split(',').map(Number)) {
    try {
      if (descriptor > 2) closeSync(descriptor);
    } catch {
      // It was not left open.
    }
  }
}
