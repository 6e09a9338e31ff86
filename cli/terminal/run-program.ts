import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
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
 * @throws Problem `no-program`
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
    child = spawn(file, args, { env, stdio: 'inherit' });
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

function notStarted(file: string, error: NodeJS.ErrnoException): Problem {
  return error.code === 'ENOENT' ? noProgram(file) : cannotStart(file, error.message);
}

const fix = 'Check its name; the program and its arguments follow after `--`.';

/** No folder of the PATH has the program. */
export function noProgram(file: string): Problem {
  return new Problem({ kind: 'no-program', what: `There is no program ${file} on the PATH.`, fix });
}

function cannotStart(file: string, why: string): Problem {
  return new Problem({ kind: 'no-program', what: `The program ${file} could not be started.`, why, fix });
}
