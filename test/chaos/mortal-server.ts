import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileOfUrl } from '../../server/store/sqlite/url.ts';
import { ServerProcess } from '../server/program.ts';

type Settings = Record<string, string> & { VOUCH_DATABASE_URL: string };

/** The server in its own process, which dies again and again. */
export class MortalServer {
  readonly #settings: Settings;
  #running: ServerProcess;

  private constructor(settings: Settings, running: ServerProcess) {
    this.#settings = settings;
    this.#running = running;
  }

  static async start(settings: Settings): Promise<MortalServer> {
    return new MortalServer(settings, await ServerProcess.start(settings));
  }

  /** Kills it with SIGKILL. @returns the URL of the database that it leaves behind */
  async kill(): Promise<string> {
    await this.#running.end('SIGKILL');
    return this.#settings.VOUCH_DATABASE_URL;
  }

  async restart(): Promise<void> {
    this.#running = await ServerProcess.start(this.#settings);
  }

  /**
   * Stops it, copies its SQLite files as they are at that moment, and lets it go on. Those files are what SIGKILL would have left
   * behind: what the process had written, and none of its locks and memory. It needs no new process, which takes half a second.
   *
   * @returns the URL of the copy
   */
  async freeze(): Promise<string> {
    const { pid } = this.#running;
    const file = fileOfUrl(this.#settings.VOUCH_DATABASE_URL);
    process.kill(pid, 'SIGSTOP');
    try {
      while (!isStopped(pid)) await turn();
      const copy = join(mkdtempSync(join(file, '../copy-')), 'vouch.db');
      for (const part of ['', '-wal']) {
        if (existsSync(file + part)) copyFileSync(file + part, copy + part);
      }
      return `sqlite:${copy}`;
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }

  /** Removes a copy that `freeze` made. */
  forget(copy: string): void {
    if (copy !== this.#settings.VOUCH_DATABASE_URL) rmSync(join(fileOfUrl(copy), '..'), { recursive: true });
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
