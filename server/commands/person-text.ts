import type { ListedPerson } from '../people/list-people.ts';
import type { PersonShown, ShownEvent } from '../people/show-person.ts';
import { isoTime } from '../text/iso-time.ts';
import { forLog } from '../text/readable-text.ts';
import { type Column, table, tableWidth } from '../text/table.ts';
import { lastDay, shortDay, shortTime } from '../text/time.ts';
import { keyColumns } from './keys.ts';
import { sessionColumns } from './sessions.ts';

/** A person's state, for the list. */
export function stateText({ state, disabledAt, endsAt }: ListedPerson, now: number): string {
  if (state === 'disabled') return `disabled ${shortDay(disabledAt ?? now, now)}`;
  if (endsAt === null) return 'active';
  return state === 'ended' ? `ended ${lastDay(endsAt)}` : `until ${lastDay(endsAt)}`;
}

/** A person of the list, for a script. */
export function personJson(person: ListedPerson) {
  return {
    email: person.email,
    role: person.role,
    state: person.state,
    createdAt: isoTime(person.createdAt),
    disabledAt: isoTime(person.disabledAt),
    endsAt: isoTime(person.endsAt),
    keyCount: person.keys,
    lastSeenAt: isoTime(person.lastSeenAt),
  };
}

/** Everything about a person, in lines. */
export function personText(person: PersonShown, now: number): string {
  const facts: [string, string | null][] = [
    ['Role', person.role],
    ['State', stateLine(person, now)],
    ['Here since', shortDay(person.createdAt, now)],
    ['Last seen', person.lastSeenAt === null ? 'never' : shortTime(person.lastSeenAt, now)],
    ['Last day', person.endsAt === null ? null : lastDay(person.endsAt)],
    ['Invitation', invitationLine(person, now)],
    ...person.browsers.map(({ browser, ip, seenAt }): [string, string] => [
      'My account',
      `open in ${browser ?? 'a browser'}${ip === null ? '' : ` at ${ip}`}, last used ${shortTime(seenAt, now)}`,
    ]),
  ];
  const lines = facts.flatMap(([name, text]) => (text === null ? [] : [`  ${name.padEnd(12)}${forLog(text)}\n`]));
  return [
    `${person.email}\n`,
    ...lines,
    section('Keys', keyColumns(now), person.keyList, 'None. They need: vouch-server invite EMAIL --replace-keys'),
    section('Sessions', sessionColumns(now), person.sessions, 'None.'),
    section('Last events, without tokens for AWS', eventColumns(person.email, now), person.events, 'None.'),
  ]
    .join('')
    .replace('EMAIL', person.email);
}

function section<Row>(title: string, columns: Column<Row>[], rows: Row[], none: string): string {
  const body = rows.length === 0 ? `${none}\n` : table(columns, rows, tableWidth() - 2);
  return `\n${title}\n${body.replace(/^(?=.)/gm, '  ')}`;
}

function stateLine({ state, disabledAt, disabledText }: PersonShown, now: number): string {
  if (state === 'active') return 'active';
  if (state === 'ended') return 'shut out, because the last day is over';
  const why = disabledText === null ? '' : `: ${disabledText}`;
  return `disabled since ${shortTime(disabledAt ?? now, now)}${why}`;
}

function invitationLine({ invitation, keys }: PersonShown, now: number): string | null {
  if (invitation === null) return null;
  const purpose = invitation.replaceKeys ? 'to replace all keys' : keys > 0 ? 'for a further key' : 'for a key';
  const role = invitation.role === 'owner' ? ', as an owner' : '';
  return `${purpose}${role}, open until ${shortTime(invitation.expiresAt, now)}, by ${invitation.invitedBy}`;
}

function eventColumns(email: string, now: number): Column<ShownEvent>[] {
  return [
    { head: 'TIME', cell: ({ at }) => shortTime(at, now) },
    { head: 'EVENT', cell: ({ event, result }) => (result === 'refused' ? `${event} (refused)` : event) },
    { head: 'BY', cell: ({ actor }) => (actor === email ? 'self' : actor), shorten: true },
    { head: 'ABOUT', cell: aboutEvent, shorten: true },
  ];
}

/** What matters most of an event besides its name. */
function aboutEvent({ event, detail, reason, machine, ip }: ShownEvent): string {
  const until = typeof detail.endsAt === 'number' ? `until ${lastDay(detail.endsAt)}` : undefined;
  const end = until ?? (event === 'person-end-set' ? 'no end date' : undefined);
  const replaces = detail.replaceKeys === true ? 'replaces all keys' : undefined;
  const texts = [detail.text, detail.name, detail.role, replaces, end, reason, machine, ip];
  return texts.filter((text) => typeof text === 'string' && text !== '').join(', ');
}
