import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Where the database's password comes from. */
export type PasswordSource = { password: string } | { file: string } | { command: string } | undefined;

/** How long a command's answer is used for new connections, in milliseconds: AWS's tokens for RDS are valid for 15 minutes. */
const REUSE_MS = 5 * 60_000;

/** How long a command may take, in milliseconds. */
const COMMAND_MS = 10_000;

/** In characters: a token for RDS has about 1,500. */
const MAX_LENGTH = 64 * 1024;

const runFile = promisify(execFile);

/** The password for a new connection: asked for again, so that it can be changed while the server runs. */
export class Password {
  readonly #source: PasswordSource;
  #answer: Promise<string> | undefined;
  #staleAt = 0;

  constructor(source: PasswordSource) {
    this.#source = source;
  }

  /** @throws when the file cannot be read or the command fails; the error shows neither what they say nor the command */
  async get(): Promise<string> {
    const source = this.#source;
    if (source === undefined) return '';
    if ('password' in source) return source.password;
    if ('file' in source) return checked(await readFile(source.file, 'utf8'), `the file ${source.file}`);
    if (this.#answer === undefined || performance.now() >= this.#staleAt) {
      this.#staleAt = Number.POSITIVE_INFINITY;
      this.#answer = run(source.command).then(
        (password) => {
          this.#staleAt = performance.now() + REUSE_MS;
          return password;
        },
        (error) => {
          this.forget();
          throw error;
        },
      );
    }
    return this.#answer;
  }

  /** Asks the command again for the next connection: its last answer was refused. */
  forget(): void {
    this.#answer = undefined;
  }
}

async function run(command: string): Promise<string> {
  // The command is the administrator's, but the master key is none of its business.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VOUCH_')));
  try {
    const { stdout } = await runFile('/bin/sh', ['-c', command], {
      env,
      timeout: COMMAND_MS,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_LENGTH,
    });
    return checked(stdout, 'VOUCH_DATABASE_PASSWORD_COMMAND');
  } catch (error) {
    // Its message has the whole command, and its output may be the password.
    const { code, killed, signal } = error as { code?: unknown; killed?: boolean; signal?: unknown };
    if (code === undefined && signal === undefined) throw error;
    const how = killed ? `took longer than ${COMMAND_MS / 1000} seconds` : `ended with ${code ?? signal}`;
    throw new Error(`VOUCH_DATABASE_PASSWORD_COMMAND ${how}`);
  }
}

/** @param from what says it, for the error */
function checked(text: string, from: string): string {
  const password = text.replace(/\r?\n$/, '');
  if (password !== '' && password.length <= MAX_LENGTH && !password.includes('\0')) return password;
  throw new Error(`${from} holds no password`);
}
