import { accessSync, constants } from 'node:fs';

/**
 * Ends this process at once, well, and for certain. At `process.exit` Node waits for the threads in which V8 works, and one that
 * wants a garbage collection waits for Node: then neither ends, and no signal is heard (nodejs/node#54918). The system ends all threads
 * of a process that becomes another program; so we become one that does nothing.
 */
export function end(): never {
  const file = ['/bin/true', '/usr/bin/true'].find(isExecutable);
  if (file !== undefined) process.execve?.(file, ['true'], {});
  process.exit(0);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
