import type { Command } from 'commander';
import type { ListedKey } from '../people/list-keys.ts';
import { count } from '../text/count.ts';
import { isoTime } from '../text/iso-time.ts';
import type { Column } from '../text/table.ts';
import { shortDay } from '../text/time.ts';
import { administer, printJson } from './administer.ts';
import { endedJson, outstanding, printEnded, printOutstanding } from './ended.ts';
import { addKeyPolicy } from './key-policy.ts';
import { addListOptions, daysAgo, type ListOptions, pageOfOptions, searchOption, wholeNumber } from './list-options.ts';
import { printPage, printTable } from './list-output.ts';

/** How many characters of a key's ID a table shows: enough to name it. */
const SHORT_ID = 10;

/** `vouch-server keys`: who has which, and taking one away. */
export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .description('list security keys, remove one that was lost or stolen, and test the settings for keys')
    .addHelpText(
      'after',
      `
Examples:
  vouch-server keys list alice@example.com
  vouch-server keys remove alice@example.com "Work key"`,
    );

  addListOptions(
    keys
      .command('list')
      .description("list everybody's keys, or one person's")
      .argument('[email]', "the person's address; by default everybody"),
  )
    .option('--not-used-for <days>', 'only those that were not used for so many days', wholeNumber(1, 3650))
    .addOption(searchOption())
    .action(list);

  keys
    .command('remove')
    .description("remove a person's key, and end the sessions that it began")
    .argument('<email>', "the person's address")
    .argument('<key>', "the key's name, or its ID or the beginning of it (after -- if it begins with -)")
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
It may be their last key. Then they cannot sign in until they use a code that this prints:
  vouch-server invite EMAIL --replace-keys

Example:
  vouch-server keys remove alice@example.com "Work key"`,
    )
    .action(remove);

  addKeyPolicy(keys);
}

/** The columns of one person's keys. */
export function keyColumns(now: number): Column<ListedKey>[] {
  return [
    { head: 'NAME', cell: ({ name }) => name, shorten: true },
    { head: 'MODEL', cell: ({ model }) => model ?? '', shorten: true },
    { head: 'ADDED', cell: ({ createdAt }) => shortDay(createdAt, now) },
    { head: 'LAST USED', cell: ({ lastUsedAt }) => (lastUsedAt === null ? 'never' : shortDay(lastUsedAt, now)) },
    { head: 'ID', cell: ({ id }) => id.slice(0, SHORT_ID) },
  ];
}

/** A key of a list, for a script. */
export function keyJson<Key extends Pick<ListedKey, 'createdAt' | 'lastUsedAt'>>(key: Key) {
  return { ...key, createdAt: isoTime(key.createdAt), lastUsedAt: isoTime(key.lastUsedAt) };
}

async function list(
  address: string | undefined,
  options: ListOptions & { notUsedFor?: number; search?: string },
): Promise<void> {
  const { listKeys } = await import('../people/list-keys.ts');
  const { knownPerson } = await import('../people/known-person.ts');
  const now = Date.now();
  await administer(async ({ store }) => {
    const personId = address === undefined ? undefined : (await knownPerson(store, address)).id;
    const filter = { personId, notUsedSince: daysAgo(options.notUsedFor, now), search: options.search };
    const page = await listKeys(store, filter, pageOfOptions(options));
    if (options.json) {
      printPage('keys', page.rows.map(keyJson), page.next);
      return;
    }
    const owner: Column<ListedKey> = { head: 'ADDRESS', cell: ({ email }) => email };
    printTable(page, [...(address === undefined ? [owner] : []), ...keyColumns(now)], 'No keys.');
  });
}

async function remove(address: string, named: string, { json }: { json?: boolean }): Promise<void> {
  const { removeNamedKey } = await import('../people/remove-named-key.ts');
  await administer(async (administration) => {
    const { store, by } = administration;
    const done = await store
      .transaction()
      .execute((transaction) => removeNamedKey(transaction, Date.now(), address, named, by));
    const { email, name, id, left, sessions, invitations } = done;
    const until = await outstanding(
      administration,
      sessions.map((session) => ({ sessionId: session.id })),
    );
    if (json) {
      printJson({
        email,
        key: { id, name },
        keysLeft: left,
        ...endedJson(done, until),
        invitationsVoided: invitations,
      });
      return;
    }
    process.stdout.write(`Removed the key "${name}" of ${email}.\n`);
    printEnded(done);
    const lines = [
      ...(invitations > 0 ? [`Voided ${count(invitations, 'open invitation')} for a further key.`] : []),
      ...(left > 0
        ? [`${email} has ${count(left, 'key')} left.`]
        : [
            'It was their last key, so they cannot sign in. To let them enrol a new one:',
            `  vouch-server invite ${email} --replace-keys`,
          ]),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    printOutstanding(until, email);
  });
}
