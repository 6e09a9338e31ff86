import { execFile } from 'node:child_process';
import { Problem } from '../problem/problem.ts';
import { printable } from '../text/printable.ts';

/** The longest wait for a service manager, in milliseconds: the manager waits for the agent to end. */
const commandTimeout = 60_000;

export interface Ran {
  stdout: string;
  /** The command's own error message; undefined when it succeeded. */
  failure: string | undefined;
}

/** Runs `systemctl` or `launchctl` to its end. A failure is a result like any other. */
export function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((resolve) => {
    // We read the output, or show it beside our own messages.
    const options = { env: { ...env, LC_ALL: 'C', SYSTEMD_COLORS: '0' }, timeout: commandTimeout };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve({ stdout, failure: undefined });
      const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const said = absent ? `There is no ${program} on the PATH.` : stderr.trim() || error.message;
      resolve({ stdout, failure: printable(said, 500) });
    });
  });
}

/**
 * As `run`.
 *
 * @throws Problem `service` when it fails
 */
export async function succeed(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout, failure } = await run(program, args, env);
  if (failure === undefined) return stdout;
  throw new Problem({
    kind: 'service',
    what: `\`${[program, ...args].join(' ')}\` failed.`,
    why: failure,
  });
}
