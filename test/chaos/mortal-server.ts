import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { ServerProcess } from '../server/program.ts';

/** The server in its own process, which dies again and again. */
export class MortalServer {
  readonly #settings: Record<string, string>;
  readonly #database: string;
  #running: ServerProcess;

  private constructor(settings: Record<string, string>, database: string, running: ServerProcess) {
    this.#settings = settings;
    this.#database = database;
    this.#running = running;
  }

  static async start(settings: Record<string, string>, database: string): Promise<MortalServer> {
    return new MortalServer(settings, database, await ServerProcess.start(settings));
  }

  /** Kills it with SIGKILL. @returns the database that it leaves behind */
  async kill(): Promise<string> {
    await this.#running.end('SIGKILL');
    return this.#database;
  }

  async restart(): Promise<void> {
    this.#running = await ServerProcess.start(this.#settings);
  }

  /**
   * Stops it, copies its database's files as they are at that moment, and lets it go on. Those files are what SIGKILL would have left
   * behind: what the process had written, and none of its locks and memory. It needs no new process, which takes half a second.
   *
   * @returns the copy of the database
   */
  async freeze(): Promise<string> {
    const { pid } = this.#running;
    process.kill(pid, 'SIGSTOP');
    try {
      while (!isStopped(pid)) await turn();
      const copy = join(mkdtempSync(join(this.#database, '../copy-')), 'vouch.db');
      for (const part of ['', '-wal']) {
        if (existsSync(this.#database + part)) copyFileSync(this.#database + part, copy + part);
      }
      return copy;
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }

  /** Removes a copy that `freeze` made. */
  forget(copy: string): void {
    if (copy !== this.#database) rmSync(join(copy, '..'), { recursive: true });
  }

  end(): Promise<void> {
    return this.#running.end('SIGKILL');
  }
}

/** Whether none of a process's threads runs (proc(5), /proc/pid/stat: the state follows the name in parentheses). */
function isStopped(pid: number): boolean {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.every((thread) => /\) T /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')));
}
