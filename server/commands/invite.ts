import { type Command, Option } from 'commander';
import type { By } from '../audit/audit.ts';
import type { Invitation, InvitationRequest } from '../invitations/invite.ts';
import type { Common } from '../invitations/read-list.ts';
import { normalizeEmail } from '../people/email.ts';
import { readEndDate } from '../people/end-date.ts';
import type { StoreTransaction } from '../store/store.ts';
import { type Administration, administer, printJson } from './administer.ts';
import { type Format, invitationColumns, invitationJson, printInvited } from './invite-output.ts';
import { addListOptions, type ListOptions, pageOfOptions, searchOption } from './list-options.ts';
import { printPage, printTable } from './list-output.ts';
import { readInput } from './read-input.ts';

interface InviteOptions {
  csv?: string;
  owner?: boolean;
  replaceKeys?: boolean;
  endDate?: string;
  format: Format;
  json?: boolean;
}

interface InvitationsOptions extends ListOptions {
  all?: boolean;
  owners?: boolean;
  replaceKeys?: boolean;
  search?: string;
}

/** `vouch-server invite`: makes, lists, revokes and renews invitations. A code is printed once, and stored nowhere. */
export function addInvite(program: Command): void {
  const invite = program
    .command('invite')
    .description('make a one-time invitation to enrol a security key; see, revoke or renew one')
    .usage('[options] [email...] | list | revoke | resend')
    .argument('[email...]', 'the addresses to invite: AWS shows them as session names')
    .option('--csv <file>', 'invite the people in a CSV file (- for standard input): email, role or owner, end date')
    .option('--owner', 'they may administer the server')
    .option('--replace-keys', 'the new key takes the place of all that the person has lost (24 hours instead of 72)')
    .option('--end-date <date>', 'their last day, such as 2026-12-31; only for somebody new')
    .addOption(formatOption())
    .option('--json', 'the same as --format json')
    .helpCommand(false)
    .hook('preSubcommand', (command, subcommand) => {
      const given = command.options.find((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
      if (given !== undefined)
        command.error(`error: ${given.long} must come after '${subcommand.name()}', if it has it`);
    })
    .addHelpText(
      'after',
      `
All of them are invited, or none if one is refused. Somebody who has a key is invited for a further one, which one of their keys must
confirm. Somebody who has lost all of them needs --replace-keys. A later invitation for an address voids the open one.`,
    )
    .action(runInvite);

  addListOptions(invite.command('list').description('list the open invitations, the newest first; never their codes'))
    .option('--all', 'also those that are used, revoked or expired')
    .option('--owners', 'only those that make owners')
    .option('--replace-keys', 'only those that replace keys')
    .addOption(searchOption())
    .action(runList);

  invite
    .command('revoke')
    .description('void an open invitation, even in the middle of an enrolment')
    .argument('<email|id>', 'whose, or its ID in `invite list --json`')
    .option('--json', 'print JSON')
    .action(runRevoke);

  invite
    .command('resend')
    .description(
      'make a new code with the same rights, and void the old one: codes are stored as hashes, and none is shown again',
    )
    .argument('<email|id>', 'whose, or its ID in `invite list --json`')
    .addOption(formatOption())
    .option('--json', 'the same as --format json')
    .action(runResend);
}

const formatOption = () =>
  new Option('--format <format>', 'how to print codes: json has an object a line, csv is for mail merge')
    .choices(['text', 'json', 'csv'])
    .default('text');

async function runInvite(emails: string[], options: InviteOptions, command: Command): Promise<void> {
  const requests = await readRequests(emails, options);
  if (requests === undefined) {
    command.error(
      emails.length === 0 ? "error: missing required argument 'email'" : 'error: give addresses or --csv, not both',
    );
  }
  await makeInvitations(options, async (transaction, now, by) => {
    const { inviteWithin } = await import('../invitations/invite.ts');
    return inviteWithin(transaction, now, requests, by);
  });
}

/** Checks everything that needs no database, so that a refused address leaves nothing behind. */
async function readRequests(emails: string[], options: InviteOptions): Promise<InvitationRequest[] | undefined> {
  const { csv, owner, replaceKeys, endDate } = options;
  const common: Common = {
    ...(owner ? { role: 'owner' } : {}),
    ...(replaceKeys ? { replaceKeys } : {}),
    ...(endDate === undefined ? {} : { endsAt: readEndDate(endDate) }),
  };
  if ((csv === undefined) === (emails.length === 0)) return undefined;
  if (csv === undefined) return emails.map((email) => ({ email: normalizeEmail(email), ...common }));
  const { LONGEST_LIST, readList } = await import('../invitations/read-list.ts');
  return readList(await readInput('--csv', csv, LONGEST_LIST), common);
}

async function runResend(which: string, options: Pick<InviteOptions, 'format' | 'json'>): Promise<void> {
  await makeInvitations(options, async (transaction, now, by) => {
    const { resendInvitation } = await import('../invitations/resend.ts');
    return [await resendInvitation(transaction, now, which, by)];
  });
}

function makeInvitations(
  { format, json }: Pick<InviteOptions, 'format' | 'json'>,
  make: (transaction: StoreTransaction, now: number, by: By) => Promise<Invitation[]>,
): Promise<void> {
  return administer(async ({ store, installation, by }) => {
    const { refuseBeforeOwner } = await import('../enrolment/first-owner.ts');
    await refuseBeforeOwner(store, installation);
    const made = await store.transaction().execute((transaction) => make(transaction, Date.now(), by));
    printInvited(made, installation, json ? 'json' : format);
  });
}

function runList(options: InvitationsOptions): Promise<void> {
  return administer(async ({ store }) => {
    const { listInvitations } = await import('../invitations/list.ts');
    const now = Date.now();
    const { all, owners, replaceKeys, search } = options;
    const filter = { all, owners, replaceKeys, search };
    const page = await listInvitations(store, now, filter, pageOfOptions(options));
    if (options.json) printPage('invitations', page.rows.map(invitationJson), page.next);
    else printTable(page, invitationColumns(now), all ? 'There are none.' : 'None is open.');
  });
}

async function runRevoke(which: string, { json = false }: { json?: boolean }): Promise<void> {
  await administer(async ({ store, by }: Administration) => {
    const { revokeInvitation } = await import('../invitations/revoke.ts');
    const revoked = await store
      .transaction()
      .execute((transaction) => revokeInvitation(transaction, Date.now(), which, by));
    if (json) printJson(revoked);
    else process.stdout.write(`Revoked the invitation of ${revoked.email}: its code is void.\n`);
  });
}
