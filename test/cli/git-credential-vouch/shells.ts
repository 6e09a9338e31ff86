import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The shells that may run the script, as far as this machine has them; each with its arguments. */
export const shells = ['/bin/sh', 'dash', 'bash', 'bash --posix', 'busybox sh'].filter(isThere);

export function isThere(shell: string): boolean {
  const [command = ''] = shell.split(' ');
  return (
    command.startsWith('/') ||
    ['/bin', '/usr/bin', '/usr/local/bin'].some((folder) => existsSync(join(folder, command)))
  );
}
