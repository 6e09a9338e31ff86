import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { Problem } from '../problem/problem.ts';

/** What we pass on. The terminal sends the first two to a program itself (termios(3), ISIG), because it is in our process group. */
const fromTerminal = ['SIGINT', 'SIGQUIT'] as const;
const passedOn = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/**
 * Runs a program in the foreground, with our standard streams, and waits for its end. Signals do not end us meanwhile: the program gets
 * them, and decides.
 *
 * @param command the program and its arguments
 * @param env its whole environment; what its PATH does not have is not found
 * @returns its exit code; 128 plus the signal's number if a signal ended it, as in shells
 * @throws Problem `no-program`, `cannot-run`
 */
export function runProgram(command: readonly [string, ...string[]], env: NodeJS.ProcessEnv): Promise<number> {
  const [file, ...args] = command;
  // Without a terminal nobody else tells the program of a Ctrl-C; with one it would learn of it twice.
  const alone = !hasTerminal();
  let child: ChildProcess | undefined;
  const handlers = [...fromTerminal, ...passedOn].map((name) => {
    const pass = passedOn.some((other) => other === name) || alone;
    return [name, () => void (pass && child?.kill(name))] as const;
  });
  for (const [name, handle] of handlers) process.on(name, handle);
  return new Promise<number>((resolve, reject) => {
    // What Node finds out at once it throws, such as arguments that are too long, or a path below a file.
    try {
      child = spawn(file, args, { env, stdio: 'inherit' });
    } catch (error) {
      reject(notStarted(file, error as NodeJS.ErrnoException));
      return;
    }
    child.once('error', (error) => reject(notStarted(file, error)));
    child.once('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
  }).finally(() => {
    for (const [name, handle] of handlers) process.off(name, handle);
  });
}

/** Whether we have a controlling terminal (tty(4)). */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

/** As env(1) and shells tell the two apart: a program that is not there, and one that is, and cannot be run. */
function notStarted(file: string, error: NodeJS.ErrnoException): Problem {
  const isThere = file.includes('/') && existsSync(file);
  return file === '' || (error.code === 'ENOENT' && !isThere) ? noProgram(file) : cannotRun(file, error);
}

const fix = 'Check its name; the program and its arguments follow after `--`.';

/** There is no such file, or no folder of the PATH has the program. */
export function noProgram(file: string): Problem {
  const what = file.includes('/') ? `There is no program ${file}.` : `There is no program ${file || '""'} on the PATH.`;
  return new Problem({ kind: 'no-program', what, fix });
}

function cannotRun(file: string, { code, message }: NodeJS.ErrnoException): Problem {
  const what = `The program ${file} could not be started.`;
  if (code === 'E2BIG') {
    return new Problem({
      kind: 'cannot-run',
      what,
      why: 'Its arguments and variables are longer than the system allows.',
      fix: 'Give it fewer: many programs read long lists from a file or from their input.',
    });
  }
  const missing = 'The file is there; the program that its first line names is not.';
  return new Problem({ kind: 'cannot-run', what, why: code === 'ENOENT' ? missing : message, fix });
}
