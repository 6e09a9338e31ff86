import { accessSync, constants } from 'node:fs';

/**
 * Ends this process successfully, at once and for certain. In `process.exit` Node waits for V8's threads, and a thread that wants a
 * garbage collection waits for Node: neither ends, and signals go unheard (nodejs/node#54918). When a process becomes another program,
 * the system ends all its threads; so this one becomes a program that does nothing.
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
