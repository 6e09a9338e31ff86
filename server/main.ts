#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { addAudit } from './commands/audit.ts';
import { addAwsRevoke } from './commands/aws-revoke.ts';
import { addAwsTemplate } from './commands/aws-template.ts';
import { addInvite } from './commands/invite.ts';
import { addKeys } from './commands/keys.ts';
import { addPeople } from './commands/people.ts';
import { addServe } from './commands/serve.ts';
import { addSessions } from './commands/sessions.ts';
import { Problem } from './problem/problem.ts';
import { printError } from './process/print-error.ts';
import { protectMemory } from './process/protect-memory.ts';
import { version } from './version.ts';

protectMemory();

const program = new Command('vouch-server')
  .description('The identity server of Vouch: WebAuthn relying party and OpenID Connect provider.')
  .version(version)
  .showHelpAfterError()
  // An option after a command's name is that command's: `invite list --json`.
  .enablePositionalOptions()
  .exitOverride();

addServe(program);
addInvite(program);
addPeople(program);
addKeys(program);
addSessions(program);
addAudit(program);
addAwsTemplate(program);
addAwsRevoke(program);

// commander's own `help` prints no error for an unknown name.
program
  .helpCommand(false)
  .command('help')
  .argument('[command...]', 'the command')
  .description('show the help of a command')
  .action(async (names: string[]) => {
    let found = program;
    for (const [index, name] of names.entries()) {
      const next = found.commands.find((command) => command.name() === name);
      if (next === undefined) return void (await program.parseAsync(names.slice(0, index + 1), { from: 'user' }));
      found = next;
    }
    found.outputHelp();
  });
for (const group of program.commands.filter(({ commands }) => commands.length > 0)) group.helpCommand(false);

// What `invite` prints is stored nowhere: if it was not written, the command must fail.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader wants no more, as in `… | head`. 128 and SIGPIPE's number, as in shells.
  if (error.code === 'EPIPE') process.exit(141);
  process.exit(printError(new Error(`the output could not be written: ${error.message}`)));
});

try {
  if (Number.parseInt(process.versions.node, 10) < 24) {
    throw new Problem({
      kind: 'node-too-old',
      what: `Node 24 or newer is needed, and this is ${process.versions.node}`,
    });
  }
  await program.parseAsync();
} catch (error) {
  // commander has already printed what it throws; wrong usage is 2, help and version are 0.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = printError(error);
}
