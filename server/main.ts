#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { ConfigError, readConfig } from './config.ts';

const program = new Command('vouch-server')
  .description('The identity server of Vouch: WebAuthn relying party and OpenID Connect provider.')
  .showHelpAfterError()
  .exitOverride();

program
  .command('serve')
  .description('run the server (settings: VOUCH_ISSUER and other environment variables, see docs/administration.md)')
  .action(async () => {
    const { serve } = await import('./serve.ts');
    const server = await serve(readConfig(process.env));
    let closing = false;
    const stop = () => {
      // A second signal means now.
      if (closing) process.exit(1);
      closing = true;
      void server.close().then(() => process.exit(0));
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });

program
  .command('invite')
  .description('make a one-time invitation to enroll a security key, good for 72 hours')
  .argument('<email>', 'whom: the address that AWS will show as the session name')
  .option('--admin', 'the person may administer the server')
  .option('--json', 'print JSON')
  .action(async (email: string, { admin = false, json = false }: { admin?: boolean; json?: boolean }) => {
    const { runInvite } = await import('./people/invite-command.ts');
    await runInvite(readConfig(process.env), { email, admin, json });
  });

try {
  if (Number.parseInt(process.versions.node, 10) < 24) {
    throw new Error(`Node 24 or newer is needed, and this is ${process.versions.node}`);
  }
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has said it already; wrong usage is 2, help is 0.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    console.error(`vouch-server: ${(error as Error).message}`);
    process.exitCode = error instanceof ConfigError || error instanceof TypeError ? 2 : 1;
  }
}
