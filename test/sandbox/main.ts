/** `npm run sandbox [-- [--fresh] [--browser] [CMD ARGS…]]`: docs/getting-started.md explains it. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { Command } from 'commander';
import { type Sandbox, startSandbox } from './sandbox.ts';

const program = new Command('sandbox')
  .description('Runs a command or a shell where Vouch, Git and a local AWS are set up and nobody is logged in.')
  .option('--fresh', 'only the servers run: nobody is invited, nothing is set up')
  .option('--browser', 'use your own browser and security key')
  .argument('[command...]', 'the command to run; a shell by default')
  .passThroughOptions()
  .allowExcessArguments();

program.action(
  async (command: string[], { fresh = false, browser = false }: { fresh?: boolean; browser?: boolean }) => {
    process.stderr.write('Starting a Vouch server, a local AWS and a browser …\n');
    const starting = new AbortController();
    const stopStarting = (signal: NodeJS.Signals) => starting.abort(new Error(`ended by ${signal}`));
    // These handlers stay after the start: Ctrl-C is for the command, and we clean up once it has ended.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stopStarting);
    const sandbox = await startSandbox({ fresh, ownBrowser: browser, signal: starting.signal });
    try {
      tell(sandbox, fresh);
      process.exitCode = await runInside(sandbox, command);
    } finally {
      await sandbox.close();
    }
  },
);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`sandbox: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

function tell(sandbox: Sandbox, fresh: boolean): void {
  const steps = [
    'vouch-server invite you@example.com',
    `vouch enroll --server ${sandbox.issuer}`,
    'vouch setup      (asks for the rest), or',
    `vouch setup aws --role ${sandbox.roleArn} --region us-east-1`,
    'vouch setup codecommit',
    'vouch login',
  ];
  const lines = [
    `  home     ${sandbox.home}`,
    `  server   ${sandbox.issuer} (log: ${sandbox.serverLog})`,
    `  AWS      ${sandbox.aws.stsUrl} (log: ${sandbox.folder}/aws/aws.log)`,
    `  role     ${sandbox.roleArn}`,
    `  Git      ${sandbox.repositoryUrl}`,
    ...(fresh ? steps : steps.slice(-1)).map((step, index) => `  ${index === 0 ? 'next' : '    '}     ${step}`),
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
}

/** Runs the command to its end. @returns its status, as a shell would report it */
function runInside(sandbox: Sandbox, command: string[]): Promise<number> {
  const [program, ...args] = command.length > 0 ? command : shell();
  return new Promise((resolve) => {
    const child = spawn(program ?? 'sh', args, {
      cwd: sandbox.home,
      env: { ...sandbox.env, PS1: 'sandbox:\\w$ ' },
      stdio: 'inherit',
    });
    const pass = () => child.kill('SIGTERM');
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, pass);
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT';
      process.stderr.write(`sandbox: ${program}: ${missing ? 'command not found' : error.message}\n`);
      resolve(missing ? 127 : 126);
    });
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

function shell(): string[] {
  return existsSync('/bin/bash') ? ['/bin/bash', '--norc', '--noprofile'] : ['/bin/sh'];
}
