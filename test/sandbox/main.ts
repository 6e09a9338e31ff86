/** `npm run sandbox [-- [--fresh] [--browser] [CMD ARGS…]]`: docs/getting-started.md says what it is for. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { type Sandbox, startSandbox } from './sandbox.ts';

const program = new Command('sandbox')
  .description('Runs a command, or a shell, where Vouch, Git and a local AWS are all set up and nobody is logged in.')
  .option('--fresh', 'only the servers run: nobody is invited, nothing is set up', false)
  .option('--browser', 'use your own browser and security key', false)
  .argument('[command...]', 'what to run; a shell when nothing is named')
  .passThroughOptions()
  .allowExcessArguments();

program.action(async (command: string[], options: { fresh: boolean; browser: boolean }) => {
  const starting = new AbortController();
  const stopStarting = (signal: NodeJS.Signals) => starting.abort(new Error(`ended by ${signal}`));
  // These stay: Ctrl-C is for the command, and we clean up when it has ended.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stopStarting);
  const sandbox = await startSandbox({ fresh: options.fresh, ownBrowser: options.browser, signal: starting.signal });
  try {
    tell(sandbox, options.fresh);
    process.exitCode = await runInside(sandbox, command);
  } finally {
    await sandbox.close();
  }
});

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`sandbox: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

function tell(sandbox: Sandbox, fresh: boolean): void {
  const lines = [
    'Vouch sandbox',
    `  home     ${sandbox.home}`,
    `  server   ${sandbox.issuer} (log: ${sandbox.serverLog})`,
    `  AWS      ${sandbox.aws.stsUrl}, role ${sandbox.roleArn} (log: ${sandbox.folder}/aws/aws.log)`,
    `  Git      ${sandbox.repositoryUrl}`,
    fresh
      ? `  next     vouch-server invite you@example.com, vouch enroll --server ${sandbox.issuer},\n` +
        `           vouch setup aws --role ${sandbox.roleArn} --region us-east-1, vouch setup codecommit, vouch login`
      : '  next     vouch login',
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
}

/** Runs the command to its end and returns its status as a shell would. */
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
      process.stderr.write(`sandbox: ${program}: ${error.message}\n`);
      resolve(error.code === 'ENOENT' ? 127 : 126);
    });
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === 'SIGTERM' ? 15 : 9)));
  });
}

function shell(): string[] {
  return existsSync('/bin/bash') ? ['/bin/bash', '--norc', '--noprofile'] : ['/bin/sh'];
}
