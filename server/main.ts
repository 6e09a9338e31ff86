#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import type { TemplateOptions } from './aws/template/check.ts';
import type { Format } from './aws/template/role-template.ts';
import { readAwsTrust, readConfig, readInstallation } from './config/config.ts';
import { Problem } from './problem/problem.ts';
import { end } from './process/end.ts';
import { printError } from './process/print-error.ts';
import { protectMemory } from './process/protect-memory.ts';
import { version } from './version.ts';

protectMemory();

const program = new Command('vouch-server')
  .description('The identity server of Vouch: WebAuthn relying party and OpenID Connect provider.')
  .version(version)
  .showHelpAfterError()
  .exitOverride();

program
  .command('serve')
  .description('run the server (settings: VOUCH_ISSUER and other environment variables, see docs/administration.md)')
  .action(async () => {
    const { serve } = await import('./serve.ts');
    const server = serve(readConfig(process.env));
    let closing = false;
    const stop = () => {
      // A second signal ends it at once.
      if (closing) process.exit(1);
      closing = true;
      server.then(({ close }) => close()).then(end, (error: Error) => process.exit(printError(error)));
    };
    // Before the log says that it listens: a reader of that line may send a signal at once.
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    await server;
  });

program
  .command('invite')
  .description('make a one-time invitation to enroll a security key, good for 72 hours')
  .argument('<email>', 'the address to invite, which AWS will show as the session name')
  .option('--admin', 'the person may administer the server')
  .option('--json', 'print JSON')
  .action(async (email: string, { admin = false, json = false }: { admin?: boolean; json?: boolean }) => {
    const { runInvite } = await import('./enrolment/invite-command.ts');
    await runInvite(readInstallation(process.env), { email, admin, json });
  });

program
  .command('aws-template')
  .description("print the OIDC provider and the role that let people in: an AWS account's side of Vouch")
  .addOption(
    new Option('--format <format>', 'what to print')
      .choices(['cloudformation', 'terraform', 'cli'])
      .makeOptionMandatory(),
  )
  .requiredOption('--account <id>', 'the AWS account, 12 digits')
  .requiredOption('--domain <name...>', 'let in everybody with an address at this domain (repeat it for several)')
  .option('--repository <arn...>', 'a repository that they may pull and push (repeat it for several)')
  .option('--role <name>', "the role's name", 'VouchDeveloper')
  .option('--partition <id>', 'aws, aws-us-gov, aws-cn or aws-eusc', 'aws')
  .option('--existing-provider', 'the account already has the OIDC provider: print only the role')
  .addHelpText(
    'after',
    `
VOUCH_ISSUER (and VOUCH_AWS_AUDIENCE, if it is set) must be the server's own. For example:
  vouch-server aws-template --format cloudformation --account 123456789012 --domain example.com \\
    --repository arn:aws:codecommit:us-east-1:123456789012:demo > vouch.json
  aws cloudformation deploy --stack-name vouch --template-file vouch.json --capabilities CAPABILITY_NAMED_IAM`,
  )
  .action(async ({ format, ...options }: TemplateOptions & { format: Format }) => {
    const { runAwsTemplate } = await import('./aws/template/command.ts');
    runAwsTemplate(readAwsTrust(process.env), format, options);
  });

// commander's own `help` prints no error for an unknown name.
program
  .helpCommand(false)
  .command('help')
  .argument('[command]', 'the command')
  .description('show the help of a command')
  .action(async (name?: string) => {
    const found = name === undefined ? program : program.commands.find((command) => command.name() === name);
    if (found === undefined) await program.parseAsync([String(name)], { from: 'user' });
    else found.outputHelp();
  });

// What `invite` prints is stored nowhere: if it was not written, the command must fail.
process.stdout.on('error', (error) => {
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
