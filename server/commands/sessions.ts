import type { Command } from 'commander';
import type { Holder } from '../aws/outstanding.ts';
import type { SignedOut } from '../people/sign-out.ts';
import { Problem } from '../problem/problem.ts';
import { SHORT_ID } from '../sessions/find-session.ts';
import type { ListedSession } from '../sessions/list.ts';
import { isoTime } from '../text/iso-time.ts';
import type { Column } from '../text/table.ts';
import { shortTime } from '../text/time.ts';
import { administer, printJson } from './administer.ts';
import { confirm } from './confirm.ts';
import { endedJson, outstanding, printOutstanding, sayEnded, sayMachines } from './ended.ts';
import { addListOptions, type ListOptions, pageOfOptions } from './list-options.ts';
import { printPage, printTable } from './list-output.ts';

/** `vouch-server sessions`: who is signed in where, and ending that. */
export function addSessions(program: Command): void {
  const sessions = program
    .command('sessions')
    .description('list sessions, and end them')
    .addHelpText(
      'after',
      `
Examples:
  vouch-server sessions list --person alice@example.com
  vouch-server sessions end --person alice@example.com`,
    );

  addListOptions(sessions.command('list').description('list the sessions of terminals, the newest first'))
    .option('--person <email>', "only this person's")
    .action(list);

  sessions
    .command('end')
    .description('end a session, all of a person, or all that there are')
    .argument('[id]', "the session's ID, or the beginning of it")
    .option('--person <email>', "all of this person's, in browsers too")
    .option('--all', "everybody's")
    .option('--yes', 'do not ask before ending all')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
They can sign in again at once. To keep somebody out: vouch-server people disable EMAIL

Examples:
  vouch-server sessions end 3f2a9c1e
  vouch-server sessions end --person alice@example.com
  vouch-server sessions end --all`,
    )
    .action(end);
}

/** A role's ARN, shorter: VouchDeveloper in 123456789012. */
export function roleText(arn: string): string {
  const [, account, name] = /:(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
  return name === undefined ? arn : `${name} in ${account}`;
}

/** The columns of one person's sessions. */
export function sessionColumns(now: number): Column<ListedSession>[] {
  return [
    { head: 'ID', cell: ({ id }) => id.slice(0, SHORT_ID) },
    { head: 'MACHINE', cell: ({ machine }) => machine ?? '', shorten: true },
    { head: 'SINCE', cell: ({ since }) => shortTime(since, now) },
    { head: 'UNTIL', cell: ({ until }) => shortTime(until, now) },
    { head: 'LAST ROLE', cell: ({ lastRole }) => (lastRole === null ? '' : roleText(lastRole)), shorten: true },
  ];
}

/** A session of a list, for a script. */
export function sessionJson<Session extends Pick<ListedSession, 'since' | 'until' | 'lastRoleAt'>>(session: Session) {
  return {
    ...session,
    since: isoTime(session.since),
    until: isoTime(session.until),
    lastRoleAt: isoTime(session.lastRoleAt),
  };
}

async function list(options: ListOptions & { person?: string }): Promise<void> {
  const { listSessions } = await import('../sessions/list.ts');
  const { knownPerson } = await import('../people/known-person.ts');
  const now = Date.now();
  await administer(async ({ store }) => {
    const { person } = options;
    const personId = person === undefined ? undefined : (await knownPerson(store, person)).id;
    const page = await listSessions(store, now, personId, pageOfOptions(options));
    if (options.json) {
      printPage('sessions', page.rows.map(sessionJson), page.next);
      return;
    }
    const [id, machine, since, until, role] = sessionColumns(now);
    const owner: Column<ListedSession> = { head: 'ADDRESS', cell: ({ email }) => email };
    // There is no room for the account beside the addresses.
    const roleName: Column<ListedSession> = {
      head: 'LAST ROLE',
      cell: ({ lastRole }) => lastRole?.split('/').at(-1) ?? '',
      shorten: true,
    };
    const columns =
      personId === undefined ? [id, owner, machine, since, until, roleName] : [id, machine, since, until, role];
    printTable(
      page,
      columns.filter((column) => column !== undefined),
      'Nobody is signed in.',
    );
  });
}

interface EndOptions {
  person?: string;
  all?: boolean;
  yes?: boolean;
  json?: boolean;
}

interface Ended extends SignedOut {
  /** Whose they were; `EMAIL` if everybody's. */
  email: string;
  /** Whose AWS credentials may be left. */
  holders: Holder[];
}

async function end(id: string | undefined, { person, all, yes, json }: EndOptions): Promise<void> {
  if ([id, person, all].filter((way) => way !== undefined).length !== 1) {
    throw new Problem({
      kind: 'option-refused',
      what: 'Which sessions? Name an ID, --person EMAIL or --all, and only one of them.',
      fix: '`vouch-server sessions list` shows them.',
    });
  }
  const { endAllSessions, endOneSession, endSessionsOfPerson } = await import('../people/end-sessions.ts');
  await administer(async (administration) => {
    const { store, by } = administration;
    if (all) await confirm('End the sessions of everybody?', { yes });
    const done = await store.transaction().execute(async (transaction): Promise<Ended> => {
      const now = Date.now();
      if (person !== undefined) {
        const { email, ...ended } = await endSessionsOfPerson(transaction, now, person, by);
        return { ...ended, email, holders: [{ email }] };
      }
      if (id === undefined)
        return { ...(await endAllSessions(transaction, now, by)), email: 'EMAIL', holders: ['all'] };
      const session = await endOneSession(transaction, now, id, by);
      return { sessions: [session], browsers: 0, email: session.email, holders: [{ sessionId: session.id }] };
    });
    const until = await outstanding(administration, done.holders);
    if (json) {
      printJson(endedJson(done, until));
      return;
    }
    const ended = sayEnded(done);
    const machines = all ? '' : sayMachines(done.sessions);
    process.stdout.write(ended === undefined ? 'There was no session to end.\n' : `Ended ${ended}${machines}.\n`);
    printOutstanding(until, done.email);
  });
}
