import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { type Finished, type Input, run } from '../support/run.ts';

export const program = resolve(import.meta.dirname, '../../dist/server/vouch-server.js');

/** Runs the built `vouch-server` to its end. @param input what it reads on its standard input */
export function vouchServer(args: string[], settings: Record<string, string>, input: Input = ''): Promise<Finished> {
  return run(process.execPath, [program, ...args], { env: cleanEnvironment(settings), input, timeout: 20_000 });
}

/** The built server in its own process, which can be killed. */
export class ServerProcess {
  readonly #child: ChildProcess;
  #output = '';
  #log = '';
  #errors = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /**
   * Starts it and waits until it listens.
   *
   * @param starter a command that becomes the server, if it is not the usual one
   */
  static async start(settings: Record<string, string>, starter?: readonly string[]): Promise<ServerProcess> {
    const [command = '', ...args] = starter ?? [process.execPath, program, 'serve'];
    const child = spawn(command, args, { env: cleanEnvironment(settings), stdio: 'pipe' });
    const server = new ServerProcess(child);
    const listening = new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        server.#output += chunk.toString();
        if (server.#output.includes('"msg":"listening"')) resolve();
      };
      child.stdout?.on('data', (chunk: Buffer) => {
        server.#log += chunk.toString();
        read(chunk);
      });
      child.stderr?.on('data', (chunk: Buffer) => {
        server.#errors += chunk.toString();
        read(chunk);
      });
      child.once('close', (code) => reject(new Error(`vouch-server ended with ${code}\n${server.#output}`)));
    });
    await listening;
    return server;
  }

  /** Everything that it has written to stdout and stderr. */
  get output(): string {
    return this.#output;
  }

  /** What of that is on stdout. */
  get log(): string {
    return this.#log;
  }

  /** What of that is on stderr. */
  get errors(): string {
    return this.#errors;
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  /** Its exit status; null while it runs, and if a signal ended it. */
  get status(): number | null {
    return this.#child.exitCode;
  }

  /** Ends it: SIGKILL is like a power cut, and SIGTERM is what an administrator sends. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, 'close');
    this.#child.kill(signal);
    await closed;
  }
}

/** Starts the server for one test, and kills it afterwards. */
export async function startProgram(
  settings: Record<string, string>,
  starter?: readonly string[],
): Promise<ServerProcess> {
  const server = await ServerProcess.start(settings, starter);
  onTestFinished(() => server.end('SIGKILL'));
  return server;
}
