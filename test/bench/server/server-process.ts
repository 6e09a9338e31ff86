import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanEnvironment } from '../../support/clean-environment.ts';

const program = resolve(import.meta.dirname, '../../../dist/server/vouch-server.js');

/** How long a server may take to listen, in milliseconds. */
const START_MS = 30_000;

/** The built `vouch-server serve` in a process of its own. */
export class BenchedServer {
  readonly origin: string;
  readonly #child: ChildProcess;

  private constructor(origin: string, child: ChildProcess) {
    this.origin = origin;
    this.#child = child;
  }

  /**
   * Starts it and waits until it is ready. Its log has the usual level, and goes nowhere.
   *
   * @param flags options of Node, such as `--cpu-prof`
   */
  static async start(
    port: number,
    settings: Record<string, string>,
    signal: AbortSignal,
    flags: readonly string[] = [],
  ): Promise<BenchedServer> {
    const env = cleanEnvironment({ ...settings, VOUCH_LISTEN: `127.0.0.1:${port}`, VOUCH_TRUST_PROXY: '127.0.0.1' });
    const child = spawn(process.execPath, [...flags, program, 'serve'], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      // Ctrl-C reaches the bench alone, which then ends it.
      detached: true,
    });
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      errors = (errors + chunk).slice(-2_000);
    });
    const server = new BenchedServer(`http://127.0.0.1:${port}`, child);
    try {
      const until = performance.now() + START_MS;
      while (!(await isReady(server.origin))) {
        if (child.exitCode !== null || performance.now() > until)
          throw new Error(`the server did not start: ${errors}`);
        await sleep(50, undefined, { signal });
      }
      return server;
    } catch (error) {
      await server.end();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  async end(how: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(how);
    await ended;
  }
}

async function isReady(origin: string): Promise<boolean> {
  const response = await fetch(`${origin}/readyz`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok === true;
}
