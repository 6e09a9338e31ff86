import type { KeyName } from '../text/key-label.ts';
import { printable } from '../text/printable.ts';

/** More than the server's names have, in characters. A longer name would only fill the screen. */
const longestName = 64;

/** More keys than anybody has. A longer list would only fill the screen. */
const mostKeys = 20;

/** A key's name as a server describes it, safe for a terminal; undefined when it is not a description. */
export function readKeyName(value: unknown): KeyName | undefined {
  const { name, model } = Object(value) as Record<string, unknown>;
  if (typeof name !== 'string') return undefined;
  return {
    name: printable(name, longestName),
    model: typeof model === 'string' ? printable(model, longestName) : null,
  };
}

/** The keys of a list, as a server describes it; what is no key is left out. */
export function readKeyNames(list: readonly unknown[]): KeyName[] {
  return list
    .slice(0, mostKeys)
    .map(readKeyName)
    .filter((key) => key !== undefined);
}
