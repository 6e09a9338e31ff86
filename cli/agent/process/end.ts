import { accessSync, constants } from 'node:fs';

/**
 * Ends this process at once, and for certain. At `process.exit` Node waits for the threads in which V8 works, and one that wants a
 * garbage collection waits for Node: then neither ends, nor does a signal that we listen for end it (nodejs/node#54918). The system
 * ends all threads of a process that becomes another program; so we become one that does nothing.
 *
 * @param status what whoever started us learns: 0 when all is well
 */
export function end(status: 0 | 1): never {
  const name = status === 0 ? 'true' : 'false';
  const file = [`/bin/${name}`, `/usr/bin/${name}`].find(isExecutable);
  if (file !== undefined) process.execve?.(file, [name], {});
  process.exit(status);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
