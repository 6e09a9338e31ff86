import { type Command, InvalidArgumentError } from 'commander';
import { count } from '../text/count.ts';
import { isoTime } from '../text/iso-time.ts';
import { isReadable } from '../text/readable-text.ts';
import { lastDay, shortTime } from '../text/time.ts';
import { administer, printJson } from './administer.ts';
import { confirm } from './confirm.ts';
import { endedJson, outstanding, printEnded, printOutstanding } from './ended.ts';
import { keyJson } from './keys.ts';
import { addListOptions, daysAgo, type ListOptions, pageOfOptions, searchOption, wholeNumber } from './list-options.ts';
import { printPage, printTable } from './list-output.ts';
import { personJson, personText, stateText } from './person-text.ts';
import { sessionJson } from './sessions.ts';

/** The longest reason, in characters. */
const LONGEST_REASON = 200;

interface JsonOption {
  json?: boolean;
}

/** `vouch-server people`: who is here, and who may stay. */
export function addPeople(program: Command): void {
  const people = program
    .command('people')
    .description('list people; disable, remove or promote them; give them an end date')
    .addHelpText(
      'after',
      `
Examples:
  vouch-server people list --one-key
  vouch-server people show alice@example.com
  vouch-server people disable bob@example.com --reason "left the company"

All of this works while the server runs and while it is down. It takes effect at the person's next request.`,
    );

  addListOptions(people.command('list').description('list people, by address'))
    .option('--no-key', 'only those who have no key')
    .option('--one-key', 'only those who have a single key, and so no spare')
    .option('--disabled', 'only those who are disabled')
    .option('--owners', 'only owners')
    .option('--not-seen-for <days>', 'only those who have not signed in for so many days', wholeNumber(1, 3650))
    .addOption(searchOption())
    .addHelpText(
      'after',
      `
Examples:
  vouch-server people list --one-key
  vouch-server people list --not-seen-for 90 --json`,
    )
    .action(list);

  command(people, 'show', 'show everything about one person: keys, sessions, invitation, last events').action(show);

  command(people, 'disable', 'shut a person out at once: ends their sessions, voids their invitations')
    .option('--reason <text>', 'why, for the audit trail', readReason)
    .addHelpText(
      'after',
      `
They keep their keys, which work again after: vouch-server people enable EMAIL

Example:
  vouch-server people disable bob@example.com --reason "left the company"`,
    )
    .action(disable);

  command(people, 'enable', 'undo disable').action(enable);

  command(people, 'remove', 'remove a person with all keys and sessions; the audit trail keeps the history')
    .option('--yes', 'do not ask')
    .action(remove);

  command(people, 'promote', 'make a person an owner, who may administer the server').action(
    (email: string, options: JsonOption) => giveRole('promote', email, options),
  );
  command(people, 'demote', 'make an owner a member').action((email: string, options: JsonOption) =>
    giveRole('demote', email, options),
  );

  people
    .command('end-date')
    .description('set the last day on which a person may sign in')
    .argument('<email>', "the person's address")
    .argument('<date>', 'the last day, such as 2026-12-31, or none')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  vouch-server people end-date carol@example.com 2026-12-31
  vouch-server people end-date carol@example.com none`,
    )
    .action(endDate);
}

function command(people: Command, name: string, description: string): Command {
  return people
    .command(name)
    .description(description)
    .argument('<email>', "the person's address")
    .option('--json', 'print JSON');
}

function readReason(text: string): string {
  if (text.length <= LONGEST_REASON && isReadable(text)) return text;
  throw new InvalidArgumentError(`It should be one line of at most ${LONGEST_REASON} visible characters.`);
}

interface PeopleOptions extends ListOptions {
  key: boolean;
  oneKey?: boolean;
  disabled?: boolean;
  owners?: boolean;
  notSeenFor?: number;
  search?: string;
}

async function list(options: PeopleOptions): Promise<void> {
  const { listPeople } = await import('../people/list-people.ts');
  const now = Date.now();
  await administer(async ({ store }) => {
    const filter = {
      keys: options.key ? (options.oneKey ? (1 as const) : undefined) : (0 as const),
      disabled: options.disabled,
      owners: options.owners,
      notSeenSince: daysAgo(options.notSeenFor, now),
      search: options.search,
    };
    const page = await listPeople(store, now, filter, pageOfOptions(options));
    if (options.json) {
      printPage('people', page.rows.map(personJson), page.next);
      return;
    }
    printTable(
      page,
      [
        { head: 'ADDRESS', cell: ({ email }) => email },
        { head: 'ROLE', cell: ({ role }) => role },
        { head: 'KEYS', cell: ({ keys }) => String(keys) },
        { head: 'LAST SEEN', cell: ({ lastSeenAt }) => (lastSeenAt === null ? 'never' : shortTime(lastSeenAt, now)) },
        { head: 'STATE', cell: (person) => stateText(person, now) },
      ],
      'Nobody. (Those who have not used their invitation yet: vouch-server invite list)',
    );
  });
}

async function show(email: string, { json }: JsonOption): Promise<void> {
  const { showPerson } = await import('../people/show-person.ts');
  const now = Date.now();
  await administer(async ({ store }) => {
    const person = await showPerson(store, now, email);
    if (!json) {
      process.stdout.write(personText(person, now));
      return;
    }
    printJson({
      ...personJson(person),
      disabledReason: person.disabledText,
      keys: person.keyList.map(({ email: _, ...key }) => keyJson(key)),
      sessions: person.sessions.map(({ email: _, ...session }) => sessionJson(session)),
      browsers: person.browsers.map(({ seenAt, ...browser }) => ({ ...browser, seenAt: isoTime(seenAt) })),
      invitation: person.invitation && { ...person.invitation, expiresAt: isoTime(person.invitation.expiresAt) },
      events: person.events.map(({ at, ...event }) => ({ at: isoTime(at), ...event })),
    });
  });
}

async function disable(address: string, { reason, json }: JsonOption & { reason?: string }): Promise<void> {
  const { disable } = await import('../people/disable.ts');
  await administer(async (administration) => {
    const { store, by } = administration;
    const done = await store
      .transaction()
      .execute((transaction) => disable(transaction, Date.now(), address, by, reason));
    const { email, changed, invitations } = done;
    const until = await outstanding(administration, [{ email }]);
    if (json) {
      printJson({ email, changed, ...endedJson(done, until), invitationsVoided: invitations });
      return;
    }
    print(changed ? `Disabled ${email}.` : `${email} is disabled already. Nothing has changed.`);
    printEnded(done);
    if (invitations > 0) print(`Voided ${count(invitations, 'open invitation')}.`);
    printOutstanding(until, email);
  });
}

async function enable(address: string, { json }: JsonOption): Promise<void> {
  const { enable } = await import('../people/disable.ts');
  await administer(async ({ store, by }) => {
    const now = Date.now();
    const { email, changed, endsAt } = await store
      .transaction()
      .execute((transaction) => enable(transaction, now, address, by));
    if (json) {
      printJson({ email, changed, endsAt: isoTime(endsAt) });
      return;
    }
    print(changed ? `Enabled ${email}. Their keys work again.` : `${email} is not disabled. Nothing has changed.`);
    if (endsAt === null || endsAt > now) return;
    print(`Their end date has come (${lastDay(endsAt)}), so they are still shut out.`);
    print(`To let them in: vouch-server people end-date ${email} none`);
  });
}

async function remove(address: string, { yes, json }: JsonOption & { yes?: boolean }): Promise<void> {
  const { remove } = await import('../people/remove.ts');
  const { knownPerson } = await import('../people/known-person.ts');
  await administer(async (administration) => {
    const { store, by } = administration;
    const known = await knownPerson(store, address);
    await confirm(`Remove ${known.email} with all keys and sessions? This cannot be undone.`, { yes });
    const done = await store.transaction().execute((transaction) => remove(transaction, Date.now(), known.email, by));
    const { email, keys, invitations } = done;
    const until = await outstanding(administration, [{ email }]);
    if (json) {
      printJson({ email, keysRemoved: keys, ...endedJson(done, until), invitationsVoided: invitations });
      return;
    }
    print(`Removed ${email}, with ${count(keys, 'key')}.`);
    printEnded(done);
    if (invitations > 0) print(`Voided ${count(invitations, 'open invitation')}.`);
    printOutstanding(until, email);
  });
}

async function giveRole(which: 'promote' | 'demote', address: string, { json }: JsonOption): Promise<void> {
  const roles = await import('../people/roles.ts');
  await administer(async ({ store, by }) => {
    const { email, role, changed, state, invitations } = await store
      .transaction()
      .execute((transaction) => roles[which](transaction, Date.now(), address, by));
    if (json) {
      printJson({ email, role, changed, state, invitationsVoided: invitations });
      return;
    }
    const article = role === 'owner' ? 'an owner' : 'a member';
    const nothing = invitations > 0 ? '' : ' Nothing has changed.';
    print(changed ? `${email} is now ${article}.` : `${email} is ${article} already.${nothing}`);
    if (invitations > 0) print(`Voided ${count(invitations, 'open invitation')} to become an owner.`);
    if (state === 'active') return;
    print(`${email} is still shut out: vouch-server people show ${email}`);
  });
}

async function endDate(address: string, date: string, { json }: JsonOption): Promise<void> {
  const { endInWords, readEndDate } = await import('../people/end-date.ts');
  const { setEndDate } = await import('../people/set-end-date.ts');
  const wanted = date === 'none' ? null : readEndDate(date);
  await administer(async (administration) => {
    const { store, by } = administration;
    const done = await store
      .transaction()
      .execute((transaction) => setEndDate(transaction, Date.now(), address, wanted, by));
    const { email, changed, endsAt, disabled, sessions, invitations } = done;
    const holders = sessions.map(({ id }) => ({ sessionId: id }));
    const until = await outstanding(administration, holders);
    if (json) {
      const ended = { ...endedJson(done, until), invitationsVoided: invitations };
      printJson({ email, changed, endsAt: isoTime(endsAt), disabled, ...ended });
      return;
    }
    const may = endsAt === null ? 'has no end date' : `may sign in ${endInWords(endsAt)}`;
    print(`${email} ${may}.${changed ? '' : ' Nothing has changed.'}`);
    printEnded(done);
    if (invitations > 0) print(`Voided ${count(invitations, 'open invitation')}.`);
    printOutstanding(until, email);
    if (disabled) print(`But ${email} is disabled. To undo that: vouch-server people enable ${email}`);
  });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
