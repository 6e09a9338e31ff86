import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** The real `vouch-server serve`, in its own process. */
export interface IdentityServer {
  start(): Promise<void>;
  /** Kills it, as a power cut would. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param env the environment with the server's settings
 * @param logFile where its log goes
 */
export function identityServer(env: Record<string, string>, logFile: string): IdentityServer {
  let child: ChildProcess | undefined;

  const end = (signal: NodeJS.Signals) =>
    new Promise<void>((resolve) => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
        resolve();
        return;
      }
      child.once('exit', () => resolve());
      child.kill(signal);
    });

  return {
    start: () =>
      new Promise((resolve, reject) => {
        const log = openSync(logFile, 'a', 0o600);
        // In its own process group, because Ctrl-C in the sandbox's shell is not meant for the server.
        const started = spawn('vouch-server', ['serve'], {
          env,
          stdio: ['ignore', 'pipe', log],
          detached: true,
        });
        child = started;
        const lines = createInterface({ input: started.stdout as NonNullable<typeof started.stdout> });
        lines.on('line', (line) => {
          writeSync(log, `${line}\n`);
          if (line.includes('"msg":"listening"')) resolve();
        });
        started.once('close', (code) => {
          closeSync(log);
          reject(new Error(`vouch-server ended with ${code}; its log is ${logFile}`));
        });
      }),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}
