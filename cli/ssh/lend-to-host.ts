import { randomBytes } from 'node:crypto';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isatty } from 'node:tty';
import { configText } from '../git/config-text.ts';
import { printNote } from '../problem/print.ts';
import { interruptible } from '../terminal/interrupt.ts';
import type { Io } from '../terminal/io.ts';
import { runProgram } from '../terminal/run-program.ts';
import { readSshArguments } from './arguments.ts';
import { Connection, NotConnected } from './connection.ts';
import { checkDestination } from './destination.ts';
import { enterScript } from './host-script.ts';

/** What a host gets. */
export interface Lent {
  /** Its socket on this machine. */
  gitSocket: string;
  /** A folder of this machine that only our user can enter, for the connection's socket. */
  folder: string;
  /** Git's settings for a place where the lent socket has this path. */
  gitSettings(socket: string): readonly (readonly [key: string, value: string])[];
  /** Settles when it has ended. */
  ended: Promise<unknown>;
}

/** The oldest Git that reads the settings (GIT_CONFIG_COUNT). */
const oldestGit = [2, 31] as const;

/**
 * Makes sure that ssh can be started with these arguments, before anything is lent.
 *
 * @throws Problem `usage`
 */
export function checkSshArguments(destination: string, words: readonly string[]): void {
  checkDestination(destination);
  readSshArguments(words);
}

/**
 * Connects to an SSH host with something lent, and runs a shell or a command there whose Git uses it. Nothing of it stays there: the
 * host's own script removes its folder when the connection ends, even if this process is killed or the network is gone.
 *
 * @param destination as ssh(1) takes it
 * @param words what comes after the host on ssh's command line: options, then perhaps a command
 * @returns the exit code of the shell or of the command; 255 if ssh failed, which it has then said
 * @throws Problem as checkDestination, readSshArguments, Connection; Interrupted
 */
export async function lendToHost(
  destination: string,
  words: readonly string[],
  lent: Lent,
  { env, stderr }: Pick<Io, 'env' | 'stderr'>,
): Promise<number> {
  checkDestination(destination);
  const { connection: options, session: sessionOptions, command } = readSshArguments(words);
  const { signal, release } = interruptible();
  const connection = new Connection({ destination, options, control: join(lent.folder, 'ssh'), env, signal });
  try {
    const { folder, git } = await connection.makeFolder();
    const socket = `${folder}/git.sock`;
    await connection.forward(socket, nameOfItsOwn(lent));
    await connection.write({
      gitconfig: configText(lent.gitSettings(socket)),
      enter: enterScript(folder, 'gitconfig', command),
    });
    release();
    noteGit(destination, git, stderr);
    // Without it, Git there is as it was before.
    void lent.ended.then(() => connection.release());
    // A shell gets a terminal, as it does from ssh itself.
    const terminal = command === undefined && isatty(0) ? ['-t'] : [];
    return await runProgram(connection.session([...terminal, ...sessionOptions], `exec sh ${folder}/enter`), env);
  } catch (error) {
    if (error instanceof NotConnected) return error.exitCode;
    throw error;
  } finally {
    release();
    await connection.close();
  }
}

/**
 * A name for the socket that goes with the lend's folder. The host keeps what was forwarded until the connection ends, perhaps long after
 * the lend, and must not reach the socket of a later lend that has the same name.
 */
function nameOfItsOwn({ gitSocket, folder }: Lent): string {
  // No longer than that of the socket, whose path may have no more.
  const name = join(folder, randomBytes(4).toString('hex'));
  symlinkSync(gitSocket, name);
  return name;
}

function noteGit(host: string, said: string, stderr: Io['stderr']): void {
  const [, major = 0, minor = 0] = (/^git version (\d+)\.(\d+)/.exec(said) ?? []).map(Number);
  const [oldMajor, oldMinor] = oldestGit;
  if (major > oldMajor || (major === oldMajor && minor >= oldMinor)) return;
  const what = major === 0 ? `No Git was found on ${host}.` : `The Git on ${host} is too old for what is lent: ${said}`;
  printNote(stderr, { what, fix: `Git ${oldestGit.join('.')} or newer can use it.` });
}
