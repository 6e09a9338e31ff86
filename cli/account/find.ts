import type { AccountBrowser, AccountKey, AccountSession, AccountSessions } from '../agent/protocol/account.ts';
import { Problem } from '../problem/problem.ts';
import { keyLabel } from '../text/key-label.ts';
import { printable } from '../text/printable.ts';
import { browserName, machineName, shortId } from './names.ts';

/** How much of an ID a person must type at least, in characters. */
const leastOfId = 4;

/**
 * The key that a person means: by its name, its ID or the beginning of the ID. Capitals matter only if another key has the same name
 * without them.
 *
 * @throws Problem `key-unknown`, `several-keys`
 */
export function findKey(keys: readonly AccountKey[], typed: string): AccountKey {
  const { found } = matches(keys, typed, ({ name }) => name);
  const [key, ...others] = found;
  if (key !== undefined && others.length === 0) return key;
  const describe = (one: AccountKey) => `${keyLabel(one)}, ID ${shortId(one.id)}`;
  if (key === undefined) {
    throw new Problem({
      kind: 'key-unknown',
      what: `None of your keys is called "${printable(typed, 100)}".`,
      why: `You have ${keys.map(keyLabel).join(', ')}.`,
      fix: '`vouch keys list` shows them.',
    });
  }
  throw new Problem({
    kind: 'several-keys',
    what: `"${printable(typed, 100)}" could be any of these: ${found.map(describe).join('; ')}.`,
    fix: 'Give the ID instead of the name.',
  });
}

/** A session of an agent, or a browser: what can be ended by its ID. */
export type Endable = { kind: 'session'; session: AccountSession } | { kind: 'browser'; browser: AccountBrowser };

/**
 * What a person means to end: all sessions on the machine of this name, or the one session or browser whose ID is this or begins with it.
 *
 * @throws Problem `session-unknown`, `several-sessions`
 */
export function findSessions({ sessions, browsers }: AccountSessions, typed: string): Endable[] {
  const all: (Endable & { id: string; name: string })[] = [
    ...sessions.map((session) => ({ kind: 'session' as const, session, id: session.id, name: session.machine ?? '' })),
    ...browsers.map((browser) => ({ kind: 'browser' as const, browser, id: browser.id, name: '' })),
  ];
  const { found, byName } = matches(all, typed, ({ name }) => name);
  if (found.length === 1 || byName) return found;
  const describe = ({ id, ...one }: (typeof all)[number]) =>
    `${shortId(id)} (${one.kind === 'session' ? machineName(one.session) : browserName(one.browser)})`;
  if (found.length === 0) {
    throw new Problem({
      kind: 'session-unknown',
      what: `You have no session called "${printable(typed, 100)}".`,
      why: `You have ${all.map(describe).join(', ')}.`,
      fix: '`vouch sessions list` shows them. It may be over already.',
    });
  }
  throw new Problem({
    kind: 'several-sessions',
    what: `"${printable(typed, 100)}" could be any of these: ${found.map(describe).join(', ')}.`,
    fix: 'Give more of the ID: `vouch sessions list --json` shows all of it.',
  });
}

/** What a text names, the better match first: the whole ID or name, the name in other letters, the beginning of an ID. */
function matches<Thing extends { id: string }>(
  all: readonly Thing[],
  typed: string,
  nameOf: (thing: Thing) => string,
): { found: Thing[]; byName: boolean } {
  const folded = fold(typed);
  const byId = all.filter(({ id }) => id === typed);
  if (byId.length > 0) return { found: byId, byName: false };
  for (const isNamed of [(name: string) => name === typed, (name: string) => fold(name) === folded]) {
    const found = all.filter((thing) => nameOf(thing) !== '' && isNamed(nameOf(thing)));
    if (found.length > 0) return { found, byName: true };
  }
  return { found: typed.length < leastOfId ? [] : all.filter(({ id }) => id.startsWith(typed)), byName: false };
}

function fold(name: string): string {
  return name.normalize('NFC').trim().toLowerCase();
}
