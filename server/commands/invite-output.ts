import type { Config } from '../config/config.ts';
import type { Invitation } from '../invitations/invite.ts';
import type { ListedInvitation } from '../invitations/list.ts';
import { isoTime } from '../text/iso-time.ts';
import type { Column } from '../text/table.ts';
import { inFull, lastDay, shortTime } from '../text/time.ts';

export type Format = 'text' | 'json' | 'csv';

type Installation = Pick<Config, 'issuer' | 'database'>;

/** What the new key is for: an object of JSON and a line of CSV name it by these words. */
type Purpose = 'first-key' | 'further-key' | 'replace-keys';

/** Prints new invitations with their codes, the only time. */
export function printInvited(made: readonly Invitation[], installation: Installation, format: Format): void {
  process.stdout.write(formats[format](made, installation));
}

const formats: Record<Format, (made: readonly Invitation[], installation: Installation) => string> = {
  text: (made, installation) => {
    const [first] = made;
    return made.length === 1 && first !== undefined ? oneText(first, installation) : severalText(made, installation);
  },
  json: (made, installation) => made.map((each) => `${JSON.stringify(fieldsOf(each, installation))}\n`).join(''),
  csv: (made, installation) => {
    const rows = made.map((each) => Object.values(fieldsOf(each, installation)));
    const names = Object.keys(fieldsOf(made[0] as Invitation, installation));
    return [names, ...rows].map((row) => `${row.map(csvValue).join(',')}\r\n`).join('');
  },
};

const fieldsOf = (invitation: Invitation, { issuer, database }: Installation) => ({
  email: invitation.email,
  code: invitation.code,
  expiresAt: isoTime(invitation.expiresAt),
  purpose: purposeOf(invitation),
  role: invitation.role,
  endsAt: isoTime(invitation.endsAt),
  server: issuer,
  database: database.name,
});

/** RFC 4180, section 2 */
function csvValue(value: string | null): string {
  const text = value ?? '';
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function purposeOf({ replaceKeys, keys }: Invitation): Purpose {
  if (replaceKeys) return 'replace-keys';
  return keys > 0 ? 'further-key' : 'first-key';
}

const keysInWords = (keys: number) => (keys === 1 ? 'their key' : `one of their ${keys} keys`);

function oneText(invitation: Invitation, { issuer, database }: Installation): string {
  const { email, code, role, keys, isHere, voids, endsAt, expiresAt } = invitation;
  const purpose = purposeOf(invitation);
  const fact = (name: string, value: string) => `  ${name.padEnd(17)} ${value}`;
  const replaced = keys === 1 ? 'their key' : `all of their ${keys} keys`;
  const replaces = keys === 0 ? 'nothing: they have no key' : `${replaced}, and ends their sessions`;
  return lines(
    `Invited ${email}${role === 'owner' ? ' as an owner' : ''}`,
    fact('Invitation code', code),
    purpose === 'further-key' && fact('For', `a further key, which ${keysInWords(keys)} must confirm`),
    purpose === 'replace-keys' && fact('Replaces', replaces),
    fact('Good until', `${inFull(expiresAt)}, for one key`),
    endsAt !== null && fact('Last day', lastDay(endsAt)),
    fact('Database', database.name),
    voids && 'The invitation that they had is void.',
    (purpose === 'replace-keys' || (isHere && keys === 0)) &&
      `Make sure that ${email} asked for this: anybody who has the code can sign in as them.`,
    'Send the code over a channel you trust. They run',
    `  ${commandFor([invitation], issuer)}`,
    purpose === 'further-key' &&
      `If they no longer have ${keys === 1 ? 'that key' : 'any of these keys'}, they need another invitation:`,
    purpose === 'further-key' && `  vouch-server invite ${email} --replace-keys`,
    purpose === 'replace-keys' &&
      keys > 0 &&
      'Until then the old keys still work. If one may be in other hands, remove it at once (`vouch-server keys`).',
  );
}

/**
 * What the people run. Somebody new is walked from the key to Git. Where somebody has used a key, the walk would take that step for done, so
 * they enrol alone.
 */
function commandFor(made: readonly Invitation[], issuer: string): string {
  return `vouch ${made.some(({ isHere }) => isHere) ? 'enroll' : 'setup'} --server ${issuer}`;
}

const SHORT: Record<Purpose, string> = {
  'first-key': '',
  'further-key': ', for a further key that one of theirs confirms',
  'replace-keys': ', replaces all their keys',
};

function severalText(made: readonly Invitation[], { issuer, database }: Installation): string {
  const width = Math.max(...made.map(({ email }) => email.length));
  const each = made.map((invitation) => {
    const { email, code, role, endsAt, expiresAt } = invitation;
    const end = endsAt === null ? '' : `, last day ${lastDay(endsAt)}`;
    const owner = role === 'owner' ? ', as an owner' : '';
    return `  ${email.padEnd(width)}  ${code}  until ${inFull(expiresAt)}${owner}${SHORT[purposeOf(invitation)]}${end}`;
  });
  const voids = made.filter((invitation) => invitation.voids).length;
  return lines(
    `Invited ${made.length} people, each for one key`,
    ...each,
    `Database: ${database.name}`,
    voids > 0 && `The earlier invitations of ${voids} of them are void.`,
    'Send each code over a channel you trust. They run',
    `  ${commandFor(made, issuer)}`,
  );
}

/** The table of `invite list`. */
export const invitationColumns = (now: number): Column<ListedInvitation>[] => [
  { head: 'ADDRESS', cell: ({ email }) => email },
  { head: 'FOR', cell: rightsText },
  { head: 'STATE', cell: (invitation) => stateText(invitation, now) },
  { head: 'BY', cell: ({ invitedBy }) => invitedBy, shorten: true },
];

function rightsText({ role, replaceKeys, endsAt }: ListedInvitation): string {
  const key = replaceKeys ? 'replacing all keys' : 'a key';
  const owner = role === 'owner' ? ', as an owner' : '';
  return `${key}${owner}${endsAt === null ? '' : `, last day ${lastDay(endsAt)}`}`;
}

function stateText({ state, expiresAt, closedAt }: ListedInvitation, now: number): string {
  return state === 'open'
    ? `open until ${shortTime(expiresAt, now)}`
    : `${state} ${shortTime(closedAt ?? expiresAt, now)}`;
}

/** An invitation of the list, for a script. */
export const invitationJson = (invitation: ListedInvitation) => ({
  ...invitation,
  endsAt: isoTime(invitation.endsAt),
  createdAt: isoTime(invitation.createdAt),
  expiresAt: isoTime(invitation.expiresAt),
  closedAt: isoTime(invitation.closedAt),
});

function lines(...all: (string | false)[]): string {
  return all
    .filter((line) => line !== false)
    .map((line) => `${line}\n`)
    .join('');
}
