import { once } from 'node:events';
import { mkdirSync, watch } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { lendToHost } from '../../../cli/ssh/lend-to-host.ts';
import { runToExitCode } from '../../../cli/vouch/run.ts';

/**
 * A program that lends a socket to an SSH host, as `vouch lend ssh` does; the socket gives every Git the same password. Its arguments: a
 * folder for the socket, the destination, and what comes after it. The lend ends when a file `end` appears in that folder.
 */
const [folder = '', destination = '', ...words] = process.argv.slice(2);
mkdirSync(folder, { mode: 0o700 });
const gitSocket = join(folder, 'git.sock');
const server = createServer({ allowHalfOpen: true }, (socket) => {
  let asked = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => (asked += chunk));
  socket.on('end', () => socket.end(asked.startsWith('action=get\n') ? 'username=lent\npassword=fenced\n' : ''));
}).listen(gitSocket);
await once(server, 'listening');

const ended = new Promise<void>((resolve) => {
  const watcher = watch(folder, (_, name) => {
    if (name !== 'end') return;
    watcher.close();
    resolve();
  }).unref();
});
const helper = (socket: string) => `!f() { test "$1" = get && git credential-cache --socket ${socket} get; }; f`;
process.exitCode = await runToExitCode(
  () =>
    lendToHost(
      destination,
      words,
      {
        gitSocket,
        folder,
        gitSettings: (socket) => [['credential.https://example.com.helper', helper(socket)]],
        ended,
      },
      process,
    ),
  process.stderr,
);
server.close();
