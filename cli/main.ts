#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Io } from './io.ts';
import { Interrupted } from './login/interrupt.ts';
import { printProblem } from './problem.ts';
import { version } from './programs.ts';

const io: Io = { stdout: process.stdout, stderr: process.stderr, env: process.env };

/** The exit code of a command that Ctrl-C ended, as shells have it. */
const INTERRUPTED = 130;

const program = new Command('vouch')
  .description('Touch your security key once a day, then use Git against AWS CodeCommit with no stored secret.')
  .version(version)
  .showHelpAfterError()
  .exitOverride();

/** Each command's code is only loaded when it runs: `vouch --help` and `vouch status` should not wait for OAuth. */
async function finish(command: Promise<number>): Promise<void> {
  process.exitCode = await command;
}

const server = () => new Option('--server <url>', 'the Vouch server, such as https://vouch.example.com');
const json = () => new Option('--json', 'print JSON, for scripts').default(false, 'off');
const noBrowser = () => new Option('--no-browser', 'only print the address to open');
const timeout = () =>
  new Option('--timeout <seconds>', 'the longest wait for your touch').default(300).argParser(positiveSeconds);

program
  .command('enroll')
  .description('make your security key known to the server, with the invitation code of your administrator')
  .addOption(server())
  .option('--name <name>', 'what to call the key, such as "Work key"')
  .addOption(noBrowser())
  .addOption(timeout())
  .action(async (options) => {
    const { enroll } = await import('./commands/enroll.ts');
    await finish(enroll(options));
  });

program
  .command('login')
  .description('sign in with a touch of your security key, for 8 hours')
  .addOption(server())
  .addOption(noBrowser())
  .addOption(timeout())
  .action(async (options) => {
    const { login } = await import('./commands/login.ts');
    await finish(login(options));
  });

program
  .command('logout')
  .description('end the session, here and at the server')
  .addOption(json())
  .action(async (options) => {
    const { logout } = await import('./commands/logout.ts');
    await finish(logout(options, io));
  });

program
  .command('status')
  .description('show who is signed in, until when, and for which AWS roles')
  .addOption(json())
  .action(async (options) => {
    const { status } = await import('./commands/status.ts');
    await finish(status(options, io));
  });

function positiveSeconds(value: string): number {
  const seconds = Number(value);
  if (!/^\d+(\.\d+)?$/.test(value) || seconds <= 0 || seconds > 3600) {
    throw new InvalidArgumentError('It should be a number of seconds from 1 to 3600.');
  }
  return seconds;
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has said it already; wrong usage is 2, help and version are 0.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof Interrupted) {
    process.exitCode = INTERRUPTED;
  } else {
    process.exitCode = printProblem(process.stderr, error);
  }
}
