import { type ChildProcess, fork, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';

/** A process of the bench that answers messages, one at a time. */
export class Child {
  readonly #process: ChildProcess;

  /** @param args what the program gets */
  constructor(
    file: string,
    args: readonly string[] = [],
    stdio: StdioOptions = ['ignore', 'ignore', 'inherit', 'ipc'],
  ) {
    // A process group of its own, so that Ctrl-C reaches the bench alone, which then ends them all.
    this.#process = fork(file, args, { stdio, execArgv: ['--disable-warning=ExperimentalWarning'], detached: true });
  }

  get pid(): number {
    return this.#process.pid ?? Number.NaN;
  }

  /** Its next message. @throws Error if it ends first, or if the message is an error */
  async next<Answer>(signal: AbortSignal): Promise<Answer> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    try {
      const [answer] = await Promise.race([
        once(this.#process, 'message', { signal: either }),
        once(this.#process, 'exit', { signal: either }).then(([code]) => {
          throw new Error(`${this.#process.spawnargs.at(-1)} ended with ${code}`);
        }),
      ]);
      const { error } = Object(answer) as { error?: string };
      if (error !== undefined) throw new Error(error);
      return answer as Answer;
    } finally {
      over.abort();
    }
  }

  /** Sends a message and waits for the answer. */
  ask<Answer>(message: object, signal: AbortSignal): Promise<Answer> {
    const answer = this.next<Answer>(signal);
    this.#process.send(message);
    return answer;
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }
}
