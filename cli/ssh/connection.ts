import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { checkSocketPath } from '../runtime-folder/check-socket.ts';
import { printable } from '../text/printable.ts';
import { answers, makeFolder, releaseLine, writeFiles } from './host-script.ts';
import { noFolder, noShell, noSsh, notForwarded, notWritten } from './problems.ts';

/** More than a login shell's files print before our commands run, in characters. */
const longestNoise = 64 * 1024;

/** How long the host may take to remove its folder, in milliseconds. It removes it anyway, once the connection is gone. */
const farewell = 5000;

/** The connection ended before it was of use. ssh has said why. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected';
  /** That of ssh. */
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`ssh ended with ${exitCode}`);
    this.exitCode = exitCode;
  }
}

export interface ConnectionOptions {
  destination: string;
  /** The person's options for ssh. */
  options: readonly string[];
  /** A path for the connection's socket, in a folder that only our user can enter. */
  control: string;
  env: NodeJS.ProcessEnv;
  /** Gives up, and ends the connection; its reason is thrown. */
  signal: AbortSignal;
}

/**
 * A connection to an SSH host, with a script there that keeps a folder for as long as the connection lasts. It is a master whose
 * connection other ssh processes share (ssh_config(5), ControlMaster), so the person authenticates once.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #mark = randomBytes(16).toString('hex');
  readonly #ssh: ChildProcessByStdio<Writable, Readable, null>;
  readonly #ended: Promise<number>;
  #noise = '';
  #tooMuch = false;
  #answers: AsyncIterator<string>;

  /** @throws Problem `socket-path` */
  constructor(options: ConnectionOptions) {
    const { destination, control, env, signal } = options;
    // ssh listens on a name of its own first: a dot and 16 characters more.
    checkSocketPath(`${control}.0123456789abcdef`);
    this.#options = options;
    const args = [
      ...['-M', '-S', asPattern(control), '-o', 'ControlPersist=no', '-o', 'RemoteCommand=none'],
      ...options.options,
      // After the person's own: a terminal would echo our lines.
      ...['-T', '--', destination, 'exec sh'],
    ];
    this.#ssh = spawn('ssh', args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = new Promise((resolve, reject) => {
      this.#ssh.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ENOENT' ? noSsh() : error));
      this.#ssh.once('exit', (code, name) => resolve(name === null ? (code ?? 255) : 128 + constants.signals[name]));
    });
    // Whoever waits for an answer gets it.
    this.#ended.catch(() => {});
    this.#ssh.stdin.on('error', () => {});
    this.#answers = this.#read();
    signal.addEventListener('abort', () => void this.#ssh.kill(), { once: true });
  }

  /**
   * Makes the folder there; waits until the person is authenticated.
   *
   * @returns its path, and what Git there says its version is (nothing if there is none)
   * @throws NotConnected; Problem `no-ssh`, `ssh-host`; the signal's reason
   */
  async makeFolder(): Promise<{ folder: string; git: string }> {
    this.#ssh.stdin.write(makeFolder(this.#mark));
    const answer = await this.#next();
    const [, folder, git = ''] = /^folder (\/[A-Za-z0-9._/+@-]{1,90})\t(.{0,200})$/.exec(answer) ?? [];
    if (folder === undefined) throw noFolder(this.#options.destination);
    return { folder, git };
  }

  /**
   * Has the host's sshd listen on a socket there, and pass what connects on to one of ours.
   *
   * @throws Problem `ssh-forward`; the signal's reason
   */
  forward(there: string, here: string): Promise<void> {
    const { control, destination, env, signal } = this.#options;
    // Without the person's configuration: it might name more to forward. The destination only has to be there.
    const args = [
      '-F',
      '/dev/null',
      '-S',
      asPattern(control),
      '-O',
      'forward',
      '-R',
      `${there}:${asField(here)}`,
      'host',
    ];
    return new Promise((resolve, reject) => {
      execFile('ssh', args, { env, signal }, (error, _, stderr) => {
        if (error === null) resolve();
        else if (signal.aborted) reject(signal.reason);
        else reject(notForwarded(destination, printable(stderr.trim().split('\n')[0] ?? '', 300)));
      });
    });
  }

  /**
   * Writes files into the folder there.
   *
   * @throws NotConnected; Problem `ssh-host`; the signal's reason
   */
  async write(files: Readonly<Record<string, string>>): Promise<void> {
    this.#ssh.stdin.write(writeFiles(this.#mark, files));
    if ((await this.#next()) !== answers.ready) throw notWritten(this.#options.destination);
  }

  /**
   * The command for a session on this connection.
   *
   * @param options the person's, for the session
   * @param command for the login shell there
   */
  session(options: readonly string[], command: string): [string, ...string[]] {
    const { control, destination } = this.#options;
    return [
      'ssh',
      ...[
        '-S',
        asPattern(control),
        '-o',
        'ControlMaster=no',
        '-o',
        'RemoteCommand=none',
        '-o',
        'PermitLocalCommand=no',
      ],
      // If our connection is gone, ssh would open one of its own.
      ...['-o', 'ProxyCommand=false'],
      ...options,
      ...['--', destination, command],
    ];
  }

  /** Lets the folder there be removed. Sessions on the connection go on. */
  release(): void {
    this.#ssh.stdin.end(`${releaseLine}\n`);
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    this.release();
    // Nobody reads any more. A host that goes on printing must not keep us.
    this.#ssh.stdout.destroy();
    const timer = setTimeout(() => this.#ssh.kill(), farewell);
    await this.#ended.catch(() => {});
    clearTimeout(timer);
  }

  async #next(): Promise<string> {
    const { destination, signal } = this.#options;
    const { value, done } = await this.#answers.next();
    signal.throwIfAborted();
    if (!done) return value;
    const code = await this.#ended;
    // Of a connection that fails, ssh tells the person itself (ssh(1), EXIT STATUS).
    if (code === 255 && !this.#tooMuch) throw new NotConnected(code);
    throw noShell(destination, printable(this.#noise.trim(), 300));
  }

  /** The lines that begin with our mark, without it. */
  async *#read(): AsyncGenerator<string, undefined> {
    let rest = '';
    for await (const chunk of this.#ssh.stdout.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith(`${this.#mark} `)) yield line.slice(this.#mark.length + 1);
        else this.#noise += `${line}\n`;
      }
      this.#tooMuch = this.#noise.length + rest.length > longestNoise;
      if (this.#tooMuch) break;
    }
    this.#noise += rest;
    if (this.#tooMuch) this.#ssh.kill();
    return undefined;
  }
}

/** A path in a setting in which % begins a token (ssh_config(5), TOKENS). */
const asPattern = (path: string) => path.replaceAll('%', '%%');

/** A path between colons, as ssh's -R has it (misc.c, parse_fwd_field). */
const asField = (path: string) => path.replaceAll(/[\\:]/g, '\\$&');
