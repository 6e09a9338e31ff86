import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { runCommand } from './password-command.ts';

/** Where the database's password comes from. */
export type PasswordSource = { password: string } | { file: string } | { command: string } | undefined;

/** How long a command's answer is used for new connections, in milliseconds: AWS's tokens for RDS are valid for 15 minutes. */
const REUSE_MS = 5 * 60_000;

/** In characters: a token for RDS has about 1,500. */
const MAX_LENGTH = 64 * 1024;

/** The password for a new connection: asked for again, so that it can be changed while the server runs. */
export class Password {
  readonly #source: PasswordSource;
  #answer: Promise<string> | undefined;
  #staleAt = 0;
  #asking = new AbortController();

  constructor(source: PasswordSource) {
    this.#source = source;
  }

  /**
   * Is only called when the database asks for one.
   *
   * @throws when there is none, the file cannot be read or the command fails; the error shows neither what they say nor the command
   */
  async get(): Promise<string> {
    const source = this.#source;
    if (source === undefined) {
      throw new Error(
        'it asks for a password, and neither VOUCH_DATABASE_PASSWORD_FILE nor VOUCH_DATABASE_PASSWORD_COMMAND is set',
      );
    }
    if ('password' in source) return source.password;
    if ('file' in source) return checked(await read(source.file), `the file ${source.file}`);
    if (this.#answer === undefined || performance.now() >= this.#staleAt) {
      this.#staleAt = Number.POSITIVE_INFINITY;
      this.#answer = runCommand(source.command, MAX_LENGTH, this.#asking.signal).then((said) => {
        this.#staleAt = performance.now() + REUSE_MS;
        return checked(said, 'VOUCH_DATABASE_PASSWORD_COMMAND');
      });
      this.#answer.catch(() => this.forget());
    }
    return this.#answer;
  }

  /** Asks the command again for the next connection: its last answer was refused. */
  forget(): void {
    this.#answer = undefined;
  }

  /** Ends a command that runs: nobody needs its answer any more. */
  giveUp(): void {
    this.#asking.abort();
    this.#asking = new AbortController();
  }
}

/** Opened once, so that the checked file is the one that is read. A FIFO must not block, and a device would never end. */
async function read(file: string): Promise<string> {
  const opened = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: Error) => {
    throw new Error(`VOUCH_DATABASE_PASSWORD_FILE cannot be read: ${error.message}`);
  });
  try {
    const { size } = await opened.stat();
    // A file that is longer is no password; one that is not regular has no size.
    const { buffer, bytesRead } = await opened.read(Buffer.alloc(Math.min(size, MAX_LENGTH + 1)), { position: 0 });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await opened.close();
  }
}

/** @param from what says it, for the error */
function checked(text: string, from: string): string {
  const password = text.replace(/\r?\n$/, '');
  if (password !== '' && password.length <= MAX_LENGTH && !password.includes('\0')) return password;
  throw new Error(`${from} holds no password`);
}
