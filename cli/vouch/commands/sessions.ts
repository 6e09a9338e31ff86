import { type Ended, endAll, endThese } from '../../account/end-sessions.ts';
import { findSessions } from '../../account/find.ts';
import { browserName, machineName, shortId } from '../../account/names.ts';
import { sayOutstanding } from '../../account/outstanding-words.ts';
import { accountSessions } from '../../agent/client/account-requests.ts';
import type { AccountBrowser, AccountSession } from '../../agent/protocol/account.ts';
import { parseRoleArn } from '../../aws/role-arn.ts';
import { Problem } from '../../problem/problem.ts';
import type { Io } from '../../terminal/io.ts';
import { type Listed, listing } from '../../terminal/listing.ts';
import { count } from '../../text/count.ts';
import { speaker } from '../../text/hang.ts';
import { jsonText } from '../../text/json-text.ts';
import { printable } from '../../text/printable.ts';
import { clockTime } from '../../text/time.ts';

export interface SessionsListOptions {
  /** JSON for programs. */
  json?: boolean;
}

/** `vouch sessions list`: where the person is signed in, the latest first. */
export async function sessionsList({ json = false }: SessionsListOptions, io: Io): Promise<number> {
  const { sessions, browsers } = await accountSessions(io.env);
  if (json) {
    io.stdout.write(`${jsonText({ sessions, browsers })}\n`);
    return 0;
  }
  const now = new Date();
  const { columns } = io.stdout;
  const terminals = sessions.map((session) => listedSession(session, now));
  io.stdout.write(listing(['ID', 'MACHINE', 'SINCE', 'UNTIL', 'LAST ROLE'], terminals, columns));
  if (browsers.length === 0) return 0;
  const open = browsers.map((browser) => listedBrowser(browser, now));
  io.stdout.write(`\nMy account is open in\n${listing(['ID', 'BROWSER', 'FROM', 'LAST USED'], open, columns)}`);
  return 0;
}

function listedSession(session: AccountSession, now: Date): Listed {
  const id = shortId(session.id);
  const machine = `${machineName(session)}${session.current ? ' (here)' : ''}`;
  const [since, until] = [session.since, session.until].map((time) => clockTime(new Date(time), now));
  const role = session.lastRole === null ? 'none' : roleText(session.lastRole, now);
  return {
    cells: [id, machine, since ?? '', until ?? '', role],
    lines: [machine, `ID ${id}`, `since ${since}, until ${until}`, `last role ${role}`],
  };
}

/** Shorter than the ARN: `123456789012/VouchDeveloper 10:40`. */
function roleText({ arn, at }: { arn: string; at: string }, now: Date): string {
  const role = parseRoleArn(arn);
  return `${role ? `${role.account}/${role.name}` : printable(arn, 100)} ${clockTime(new Date(at), now)}`;
}

function listedBrowser(browser: AccountBrowser, now: Date): Listed {
  const id = shortId(browser.id);
  const [name, from] = [browserName(browser), printable(browser.ip ?? '-', 100)];
  const used = clockTime(new Date(browser.seenAt), now);
  return { cells: [id, name, from, used], lines: [name, `ID ${id}`, `from ${from}`, `last used ${used}`] };
}

export interface SessionsEndOptions {
  /** Ends all but this machine's. */
  others?: boolean;
  /** Ends all, this machine's too. */
  all?: boolean;
  /** JSON for programs. */
  json?: boolean;
}

/** `vouch sessions end`: one, a machine's, all others or all. */
export async function sessionsEnd(typed: string | undefined, options: SessionsEndOptions, io: Io): Promise<number> {
  const { others = false, all = false, json = false } = options;
  if ([typed !== undefined, others, all].filter(Boolean).length !== 1) {
    throw new Problem({
      kind: 'usage',
      what: 'It is not clear which sessions to end.',
      fix: 'Give the ID or the machine of one, or either `--others` or `--all`. `vouch sessions list` shows them.',
    });
  }
  const sessions = await accountSessions(io.env);
  const ended =
    typed === undefined
      ? await endAll(sessions, { others }, io.env)
      : await endThese(findSessions(sessions, typed), io.env);
  const next = ended.signedOut ? ['Next: `vouch login`'] : [];
  if (json) io.stdout.write(`${jsonText(ended)}\n`);
  else speaker(io.stdout)([...endedText(ended), ...next].join('\n'));
  return 0;
}

/** What has ended, and what AWS still honours, one sentence a line. */
export function endedText({ sessions, browsers, signedOut, awsCredentialsUntil }: Ended): string[] {
  const parts = [
    ...(sessions > 0 ? [`ended ${count(sessions, 'session')}`] : []),
    ...(browsers > 0 ? [`signed ${count(browsers, 'browser')} out`] : []),
  ];
  const done = parts.length === 0 ? 'There was no other session' : capitalised(parts.join(', and '));
  const outstanding = sayOutstanding(awsCredentialsUntil, new Date());
  return [
    `${done}${signedOut ? '; you are signed out here' : ''}`,
    ...(outstanding === undefined ? [] : [outstanding]),
  ];
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
