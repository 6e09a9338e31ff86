import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

/** How long a command may take, in milliseconds. */
const PATIENCE_MS = 10_000;

/** What ends a program that does not handle it, without telling anybody. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a shell command, with all that it starts: what hangs or says too much is ended whole. A shell that is killed alone would leave the
 * programs that it has started, one more for each new connection.
 *
 * @param most in bytes, how much it may say
 * @param signal ends it, too
 * @returns what it says on its standard output
 * @throws when it fails; the error shows neither the command nor what it says, which may be a secret
 */
export function runCommand(command: string, most: number, signal: AbortSignal): Promise<string> {
  // The command is the administrator's, but the master key is none of its business.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VOUCH_')));
  return new Promise((resolve, reject) => {
    let child: ChildProcessByStdio<null, Readable, null> | undefined;
    const said: Buffer[] = [];
    let length = 0;
    const end = (how: string) => {
      if (child?.pid !== undefined) killGroup(child.pid);
      child?.stdout.destroy();
      fail(how);
    };
    const fail = (how: string) => {
      settle();
      reject(new Error(`VOUCH_DATABASE_PASSWORD_COMMAND ${how}`));
    };
    const giveUp = () => end('is not needed any more');
    const late = setTimeout(() => end(`took longer than ${PATIENCE_MS / 1000} seconds`), PATIENCE_MS);
    // Ctrl-C does not reach another group.
    const passOn = (received: NodeJS.Signals) => {
      if (process.listenerCount(received) > 1) return;
      giveUp();
      process.kill(process.pid, received);
    };
    // Before it starts: on a busy machine it may run for a while before this program goes on.
    process.once('exit', giveUp);
    for (const one of SIGNALS) process.on(one, passOn);
    const settle = () => {
      clearTimeout(late);
      process.off('exit', giveUp);
      for (const one of SIGNALS) process.off(one, passOn);
      signal.removeEventListener('abort', giveUp);
    };
    signal.addEventListener('abort', giveUp);
    // Detached: a process group of its own.
    child = spawn('/bin/sh', ['-c', command], { env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.on('data', (part: Buffer) => {
      said.push(part);
      length += part.length;
      if (length > most) end(`said more than ${most} bytes`);
    });
    child.once('error', ({ code }: NodeJS.ErrnoException) => fail(`could not be started (${code})`));
    child.once('close', (code, killedBy) => {
      if (code !== 0) return fail(`ended with ${code ?? killedBy}`);
      settle();
      resolve(Buffer.concat(said).toString());
    });
  });
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}
