import type {
  AccountBrowser,
  AccountKey,
  AccountKeys,
  AccountSession,
  AccountSessions,
  Ending,
  KeyRemoval,
} from '../protocol/account.ts';

/**
 * Reads the server's answers about a person's keys and sessions (docs/http-api.md, "My account"). Each throws `UnfitAccount` if it is
 * something else. The text is as the server sent it: the code that prints it makes it safe for a terminal.
 */

/** More than anything in these answers has, in characters: a credential's ID has at most 1364 (WebAuthn, section 4). */
const longestText = 1400;

/** More than a person has of each. */
const mostEntries = 200;

/** The answer is not what was asked for. */
export class UnfitAccount extends Error {
  override readonly name = 'UnfitAccount';
}

export function readKeys({ keys }: Record<string, unknown>): AccountKeys {
  return { keys: list(keys, readKey) };
}

export function readSessions({ sessions, browsers }: Record<string, unknown>): AccountSessions {
  return { sessions: list(sessions, readSession), browsers: list(browsers, readBrowser) };
}

export function readEnding({ sessions, browsers, awsCredentialsUntil }: Record<string, unknown>): Ending {
  return {
    sessions: number(sessions),
    browsers: number(browsers),
    awsCredentialsUntil: orNull(awsCredentialsUntil, time),
  };
}

export function readRemoval({ sessions, awsCredentialsUntil, signedOut }: Record<string, unknown>): KeyRemoval {
  return {
    sessions: number(sessions),
    awsCredentialsUntil: orNull(awsCredentialsUntil, time),
    signedOut: signedOut === true,
  };
}

function readKey(entry: Record<string, unknown>): AccountKey {
  return {
    id: text(entry.id),
    name: text(entry.name),
    model: orNull(entry.model, text),
    addedAt: time(entry.addedAt),
    lastUsedAt: orNull(entry.lastUsedAt, time),
    current: entry.current === true,
  };
}

function readSession(entry: Record<string, unknown>): AccountSession {
  return {
    id: text(entry.id),
    machine: orNull(entry.machine, text),
    keyName: text(entry.keyName),
    since: time(entry.since),
    until: time(entry.until),
    lastRole: orNull(entry.lastRole, (role) => {
      const { arn, at } = Object(role) as Record<string, unknown>;
      return { arn: text(arn), at: time(at) };
    }),
    current: entry.current === true,
  };
}

function readBrowser(entry: Record<string, unknown>): AccountBrowser {
  return {
    id: text(entry.id),
    browser: orNull(entry.browser, text),
    ip: orNull(entry.ip, text),
    touchedAt: time(entry.touchedAt),
    seenAt: time(entry.seenAt),
  };
}

function list<Entry>(value: unknown, read: (entry: Record<string, unknown>) => Entry): Entry[] {
  if (!Array.isArray(value) || value.length > mostEntries) throw new UnfitAccount();
  return value.map((entry) => read(Object(entry)));
}

function orNull<Value>(value: unknown, read: (value: unknown) => Value): Value | null {
  return value === null ? null : read(value);
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > longestText) throw new UnfitAccount();
  return value;
}

function time(value: unknown): string {
  const at = Date.parse(text(value));
  if (Number.isNaN(at)) throw new UnfitAccount();
  return new Date(at).toISOString();
}

function number(value: unknown): number {
  if (!Number.isSafeInteger(value) || Number(value) < 0) throw new UnfitAccount();
  return Number(value);
}
