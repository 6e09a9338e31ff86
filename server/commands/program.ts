import type { Command } from 'commander';
import { version } from '../version.ts';
import { addAudit } from './audit.ts';
import { addAwsRevoke } from './aws-revoke.ts';
import { addAwsTemplate } from './aws-template.ts';
import { addBackup } from './backup.ts';
import { addCheck } from './check.ts';
import { addDb } from './db.ts';
import { addHelp, sayWhereHelpIs } from './help.ts';
import { addInvite } from './invite.ts';
import { addKeys } from './keys.ts';
import { addMasterKey } from './master-key.ts';
import { addMigrate } from './migrate.ts';
import { addPeople } from './people.ts';
import { addPublish } from './publish.ts';
import { addRestore } from './restore.ts';
import { addServe } from './serve.ts';
import { addSessions } from './sessions.ts';
import { addSigningKeys } from './signing-keys.ts';
import { WrappingCommand } from './wrapping-command.ts';

/** `vouch-server`, with all its commands. Parsing throws CommanderError. */
export function makeProgram(): Command {
  const program = new WrappingCommand('vouch-server')
    .description('The identity server of Vouch: WebAuthn relying party and OpenID Connect provider.')
    .version(version)
    // An option after a command's name is that command's: `invite list --json`.
    .enablePositionalOptions()
    .exitOverride();

  addServe(program);
  addMigrate(program);
  addInvite(program);
  addPeople(program);
  addKeys(program);
  addSessions(program);
  addMasterKey(program);
  addAudit(program);
  addSigningKeys(program);
  addAwsTemplate(program);
  addPublish(program);
  addCheck(program);
  addAwsRevoke(program);
  addBackup(program);
  addDb(program);
  addRestore(program);

  addHelp(program);
  for (const command of program.commands) sayWhereHelpIs(command, `vouch-server ${command.name()}`);
  return program;
}
