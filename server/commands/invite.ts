import type { Command } from 'commander';
import { normalizeEmail } from '../people/email.ts';
import { administer, printJson } from './administer.ts';

interface InviteOptions {
  owner?: boolean;
  json?: boolean;
}

/** `vouch-server invite`: prints the code, which is stored nowhere. */
export function addInvite(program: Command): void {
  program
    .command('invite')
    .description('make a one-time invitation to enroll a security key, good for 72 hours')
    .argument('<email>', 'the address to invite, which AWS will show as the session name')
    .option('--owner', 'the person may administer the server')
    .option('--json', 'print JSON')
    .action(runInvite);
}

async function runInvite(address: string, { owner = false, json = false }: InviteOptions): Promise<void> {
  // Before anything is opened, so that a refused address leaves nothing behind.
  normalizeEmail(address);
  await administer(async ({ store, installation, actor }) => {
    const { invite } = await import('../invitations/invite.ts');
    const { refuseBeforeOwner } = await import('../enrolment/first-owner.ts');
    await refuseBeforeOwner(store, installation);
    const request = { email: address, role: owner ? ('owner' as const) : ('member' as const) };
    const { email, code, expiresAt } = await invite(store, Date.now(), request, actor);
    const until = new Date(expiresAt);
    const database = installation.database.name;
    if (json) {
      printJson({ email, code, expiresAt: until.toISOString(), database });
      return;
    }
    process.stdout.write(
      [
        `Invited ${email}${owner ? ' as an owner' : ''}`,
        `  Invitation code   ${code}`,
        `  Good until        ${until.toLocaleString('en-GB', { dateStyle: 'full', timeStyle: 'short' })}, for one key`,
        `  Database          ${database}`,
        'Send the code over a channel you trust. They run',
        `  vouch enroll --server ${installation.issuer}`,
        '',
      ].join('\n'),
    );
  });
}
