import { EVENTS } from '../../audit/events.ts';
import { detailOf } from '../../audit/json.ts';
import type { Row } from '../../audit/rows.ts';
import type { Window } from '../../audit/windows.ts';
import { exactTime } from '../../text/exact-time.ts';
import { forLog } from '../../text/readable-text.ts';

/** Members of a detail that only programs need. */
const FOR_PROGRAMS = ['jti', 'hash', 'signed', 'confirmedBy', 'count', 'since', 'lastAt'];

/** Members with these values say nothing. */
const NOTHING: unknown[] = [null, false, 0];

const EVENT_WIDTH = Math.max(...Object.keys(EVENTS).map((event) => event.length));

/** Addresses are aligned up to this length. */
const PERSON_WIDTH = 28;

/** A row on one line, for people: when, what, who, and what else is known. */
export function rowLine(row: Row): string {
  const { subject, actor } = row;
  const person = subject === null || subject === actor ? actor : `${subject} by ${actor}`;
  const detail = detailOf(row);
  const { count, since } = detail;
  const counted = typeof count === 'number' && typeof since === 'number' ? [counting(count, since)] : [];
  const named = Object.entries(detail)
    .filter(([name, value]) => !FOR_PROGRAMS.includes(name) && !NOTHING.includes(value))
    .map(([name, value]) => `${name} ${valueText(name, value)}`);
  if (row.event === 'person-end-set' && detail.endsAt === null) named.push('no end date');
  return line(Number(row.at), row.event, person, [row.reason, ...counted, ...named, row.machine, row.ip]);
}

/** Refusals that are still being counted, on one line: they become a row when the hour is over. */
export function windowLine({ event, problem, email, count, began_at, last_at, last_ip }: Window): string {
  const counted = `${counting(Number(count), Number(began_at))} so far`;
  return line(Number(last_at), event, email === '' ? 'unknown' : `${email} by unknown`, [problem, counted, last_ip]);
}

function counting(count: number, since: number): string {
  return `${count === 1 ? 'once' : `${count} times`} since ${exactTime(since).slice(11, 16)}`;
}

function line(at: number, event: string, person: string, more: (string | null)[]): string {
  const rest = more.filter((text) => text !== null).map((text) => forLog(text));
  const parts = [exactTime(at), event.padEnd(EVENT_WIDTH), forLog(person).padEnd(PERSON_WIDTH), rest.join(', ')];
  return `${parts.join('  ').trimEnd()}\n`;
}

function valueText(name: string, value: unknown): string {
  if (typeof value === 'number' && (name.endsWith('At') || name === 'signsFrom')) return exactTime(value);
  if (name === 'issuedBefore') return exactTime(Date.parse(String(value)));
  return typeof value === 'string' && /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
}
