import { spawn } from 'node:child_process';
import { pipeline, Readable, type Writable } from 'node:stream';

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Input all at once, or piece by piece, like the typing of a person who must look at something in between. */
export type Input = string | Uint8Array | AsyncIterable<string>;

export interface RunOptions {
  env: Record<string, string>;
  cwd?: string;
  /** What the program reads on standard input; nothing by default. */
  input?: Input;
  /** After this many milliseconds the program is killed and the run fails. */
  timeout?: number;
}

/** Runs a program to its end, whatever its status. */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: options.env, cwd: options.cwd, stdio: 'pipe' });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    type(options.input ?? '', child.stdin);
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeout ?? 60_000);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const text = { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
      if (signal === 'SIGKILL')
        reject(new Error(`${command} ${args.join(' ')} did not end\n${text.stdout}${text.stderr}`));
      else resolve({ code: code ?? 128, ...text });
    });
  });
}

/** Gives a program its input. The program may close it unread. */
export function type(input: Input, stdin: Writable): void {
  stdin.on('error', () => {});
  if (typeof input === 'string' || input instanceof Uint8Array) stdin.end(input);
  else pipeline(Readable.from(input), stdin, () => {});
}

/** Like `run`, but fails unless the status is 0. */
export async function succeed(command: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with ${result.code}\n${result.stdout}${result.stderr}`);
  }
  return result;
}
