import { spawnSync } from 'node:child_process';
import { mkdirSync, readSync, writeSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname } from 'node:path';

/**
 * Does what systemd does for a socket unit: makes the sockets, and runs another program with them as descriptors 3
 * and up (sd_listen_fds(3)), once for each byte that it reads, as long as that program succeeds. It waits for the program
 * without its event loop, which would accept the connections itself.
 *
 *     node hold-sockets.ts PATH,PATH… COMMAND…
 */
const [, , paths = '', ...command] = process.argv;
process.umask(0o077);

const descriptors: number[] = [];
for (const path of paths.split(',')) {
  mkdirSync(dirname(path), { recursive: true });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  descriptors.push((server as Server & { _handle: { fd: number } })._handle.fd);
}
writeSync(1, 'holding\n');
let status: number | null = 0;
while (status === 0 && readSync(0, Buffer.alloc(1)) > 0) {
  // Only the shell can find out the process ID in advance.
  ({ status } = spawnSync('/bin/sh', ['-c', 'echo $$ > "$PID_FILE"; LISTEN_PID=$$ exec "$@"', 'sh', ...command], {
    env: {
      PID_FILE: '/dev/null',
      ...process.env,
      LISTEN_FDS: String(descriptors.length),
      LISTEN_FDNAMES: descriptors.map(() => 'x').join(':'),
    },
    stdio: ['ignore', 'inherit', 'inherit', ...descriptors],
  }));
  writeSync(1, `ended with ${status}\n`);
}
// The sockets' names stay, as when systemd is killed.
process.kill(process.pid, 'SIGKILL');
