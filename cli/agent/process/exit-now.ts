import { accessSync, constants } from 'node:fs';

/**
 * Ends this process at once, and for certain. At `process.exit` Node waits for V8's threads, and a thread that wants a garbage
 * collection waits for Node: neither ends then, and no signal that we listen for ends the process (nodejs/node#54918). The system
 * ends all threads of a process that becomes another program, so we become one that does nothing.
 *
 * @param status for the process that started us: 0 when all is well
 */
export function exitNow(status: 0 | 1): never {
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
