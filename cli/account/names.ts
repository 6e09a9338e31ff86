import type { AccountBrowser, AccountSession } from '../agent/protocol/account.ts';
import { Problem } from '../problem/problem.ts';
import { printable, unseen } from '../text/printable.ts';

/** The longest name of a key that the server takes, in characters. */
const longestKeyName = 40;

/** The beginning of an ID, which is enough to know it by, and to type. */
export function shortId(id: string): string {
  return printable(id).slice(0, 8);
}

/** The machine of a session, for a person. */
export function machineName({ machine }: Pick<AccountSession, 'machine'>): string {
  return machine === null ? '(no name)' : printable(machine, 100);
}

/** A browser, for a person. */
export function browserName({ browser }: Pick<AccountBrowser, 'browser'>): string {
  return browser === null ? 'a browser' : printable(browser, 100);
}

/**
 * A key's new name as the server takes it.
 *
 * @throws Problem `key-name`
 */
export function readKeyName(typed: string): string {
  const name = typed.trim();
  if (name !== '' && name.length <= longestKeyName && !new RegExp(unseen, 'u').test(name)) return name;
  throw new Problem({
    kind: 'key-name',
    what: `A key cannot be called "${printable(typed, 100)}".`,
    why: `A name has 1 to ${longestKeyName} characters that can be seen.`,
    fix: 'Choose another one, such as "Work key" or "In the drawer".',
  });
}
