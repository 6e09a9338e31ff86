import { normalizeEmail } from '../people/email.ts';
import { readEndDate } from '../people/end-date.ts';
import { Problem } from '../problem/problem.ts';
import type { PersonRole } from '../store/schema.ts';
import { shown } from '../text/shown.ts';
import type { InvitationRequest } from './invite.ts';
import { nobodyInvited } from './problems.ts';

/** The most bytes of a list. */
export const LONGEST_LIST = 1024 * 1024;

/** The most lines, so that one transaction does not keep others waiting. */
const MOST_LINES = 5_000;

/** The most characters of a line: an address has 64 at most. */
const LONGEST_LINE = 1_000;

type Column = 'email' | 'role' | 'owner' | 'endDate';

/** The columns of a list that does not name them. */
const USUAL: readonly Column[] = ['email', 'role', 'endDate'];

const NAMES: Record<string, Column> = { email: 'email', role: 'role', owner: 'owner', enddate: 'endDate' };

/** What the command line says about everybody in the list. */
export type Common = Pick<InvitationRequest, 'role' | 'replaceKeys' | 'endsAt'>;

/**
 * Reads a list of people to invite: CSV (RFC 4180, but no line break within a value) in UTF-8, with commas or semicolons. The columns are
 * email, role (member, owner) or owner (yes, no), and end date; the first line may name them in another order.
 *
 * @param common what counts for all lines; the list may have no column of its own for it
 * @throws Problem `list-refused` with all errors and their lines; `email-refused` and others are among them
 */
export function readList(bytes: Uint8Array, common: Common = {}): InvitationRequest[] {
  const lines = linesOf(bytes);
  const separator = lines[0]?.text.includes(';') ? ';' : ',';
  const refused: { problem: Problem; line: number | undefined }[] = [];
  const attempt = <Result>(line: number, read: () => Result): Result | undefined => {
    try {
      return read();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      refused.push({ problem, line });
      return undefined;
    }
  };
  const [first] = lines;
  if (first === undefined) throw listRefused('The list has no lines.', 'Put one address on each.');
  const columns = attempt(first.line, () => columnsOf(splitLine(first.text, separator), common));
  if (columns === undefined) throw nobodyInvited(refused);
  const rows = columns.named ? lines.slice(1) : lines;
  if (rows.length === 0) throw listRefused('The list names columns, but no people.', 'Put one address on each line.');
  const requests = rows.map(({ line, text }) =>
    attempt(line, () => ({ ...common, ...readRow(splitLine(text, separator), columns.list), line })),
  );
  if (refused.length > 0) throw nobodyInvited(refused);
  return requests.filter((request) => request !== undefined);
}

/** The lines that are not empty, with their numbers. */
function linesOf(bytes: Uint8Array): { line: number; text: string }[] {
  if (bytes.length > LONGEST_LIST) throw listRefused('The list has more than 1 MiB.', 'Divide it.');
  const lines = decode(bytes)
    .split(/\r\n|\r|\n/)
    .map((text, index) => ({ line: index + 1, text: text.trim() }))
    .filter(({ text }) => /[^\s,;]/.test(text));
  if (lines.length > MOST_LINES) {
    throw listRefused(`The list has ${lines.length} lines, and at most ${MOST_LINES} are read.`, 'Divide it.');
  }
  return lines;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw listRefused('The list is not text in UTF-8.', 'Save it as CSV in UTF-8.');
  }
}

/** The values of a line. Between quotes a separator is text, and two quotes are one. */
function splitLine(text: string, separator: string): string[] {
  if (text.length > LONGEST_LINE) throw listRefused(`It has more than ${LONGEST_LINE} characters.`);
  const values = [];
  const value = new RegExp(`(?:\\s*"((?:[^"]|"")*)"\\s*|([^"${separator}]*))(${separator}|$)`, 'y');
  for (;;) {
    const found = value.exec(text);
    if (found === null) throw listRefused('It has a quote in the wrong place.');
    const [, quoted, plain = '', end] = found;
    values.push((quoted?.replaceAll('""', '"') ?? plain).trim());
    if (end === '') return values;
  }
}

function columnsOf(values: string[], common: Common): { named: boolean; list: readonly Column[] } {
  if (values.some((value) => value.includes('@'))) {
    checkCommon(USUAL.slice(0, values.length), common);
    return { named: false, list: USUAL };
  }
  const list = values.map((value) => {
    const column = NAMES[value.toLowerCase().replace(/[\s_-]/g, '')];
    if (column !== undefined) return column;
    throw listRefused(
      `It has no address, and ${shown(value)} is no column: they are email, role or owner, and end date.`,
    );
  });
  if (new Set(list).size < list.length) throw listRefused('It names a column twice.');
  if (!list.includes('email')) throw listRefused('It names no column email.');
  if (list.includes('role') && list.includes('owner'))
    throw listRefused('It names both role and owner: one is enough.');
  checkCommon(list, common);
  return { named: true, list };
}

/** Two places that say the same could differ. */
function checkCommon(list: readonly Column[], { role, endsAt }: Common): void {
  if (role !== undefined && (list.includes('role') || list.includes('owner'))) {
    throw listRefused('The list has a column for who is an owner: leave out --owner.');
  }
  if (endsAt !== undefined && list.includes('endDate')) {
    throw listRefused('The list has a column for the end date: leave out --end-date.');
  }
}

function readRow(values: string[], columns: readonly Column[]): Pick<InvitationRequest, 'email' | 'role' | 'endsAt'> {
  if (values.slice(columns.length).some((value) => value !== '')) {
    throw listRefused(`It has ${values.length} values, and there are ${columns.length} columns.`);
  }
  const cell = (column: Column) => values[columns.indexOf(column)] ?? '';
  const role = readRole(cell('role')) ?? readOwner(cell('owner'));
  const endDate = cell('endDate');
  return {
    email: normalizeEmail(cell('email')),
    ...(role === undefined ? {} : { role }),
    ...(endDate === '' ? {} : { endsAt: readEndDate(endDate) }),
  };
}

function readRole(value: string): PersonRole | undefined {
  const role = value.toLowerCase();
  if (role === '') return undefined;
  if (role === 'member' || role === 'owner') return role;
  throw listRefused(`${shown(value)} is no role: there are member and owner.`);
}

function readOwner(value: string): PersonRole | undefined {
  const said = value.toLowerCase();
  if (['yes', 'true', '1'].includes(said)) return 'owner';
  if (['', 'no', 'false', '0'].includes(said)) return undefined;
  throw listRefused(`${shown(value)} does not say whether the person is an owner: yes or no does.`);
}

function listRefused(what: string, fix?: string): Problem {
  return new Problem({ kind: 'list-refused', what, ...(fix === undefined ? {} : { fix }) });
}
