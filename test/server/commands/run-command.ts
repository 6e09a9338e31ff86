import { Command, CommanderError } from 'commander';
import { onTestFinished, vi } from 'vitest';
import { Problem } from '../../../server/problem/problem.ts';
import { printError } from '../../../server/process/print-error.ts';

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** A program with some of `vouch-server`'s commands, which runs in this process: a process of its own for each call would take long. */
export function commandsOf(settings: Record<string, string>, ...add: ((program: Command) => void)[]) {
  // Set for the tests that run again on PostgreSQL (engines.ts), and no setting of the server.
  vi.stubEnv('VOUCH_TEST_ENGINE', undefined);
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  return async (...args: string[]): Promise<Ran> => {
    const out = { stdout: '', stderr: '' };
    const catchOutput = (name: 'stdout' | 'stderr') =>
      vi.spyOn(process[name], 'write').mockImplementation((text) => {
        out[name] += String(text);
        return true;
      });
    const spies = [
      catchOutput('stdout'),
      catchOutput('stderr'),
      vi.spyOn(console, 'error').mockImplementation((text) => {
        out.stderr += `${text}\n`;
      }),
    ];
    try {
      const program = new Command('vouch-server').exitOverride();
      for (const one of add) one(program);
      await program.parseAsync(args, { from: 'user' });
      return { code: 0, ...out };
    } catch (error) {
      if (!(error instanceof Problem || error instanceof CommanderError)) throw error;
      const code = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : 2) : printError(error);
      return { code, ...out };
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  };
}
