import { Problem } from '../problem/problem.ts';
import type { Store } from '../store/store.ts';
import { shown } from '../text/shown.ts';
import { allRows, type KeyRow } from './key-rows.ts';

/** Lists show so many characters of a key's name. Fewer name none. */
export const SHORT_KID = 10;

/**
 * The key that an administrator names.
 *
 * @param named its name, or the beginning of its name
 * @throws Problem `signing-key-unknown` when there is none, or more than one
 */
export async function findKey(store: Store, named: string): Promise<KeyRow> {
  const found = named.length < SHORT_KID ? [] : (await allRows(store)).filter(({ kid }) => kid.startsWith(named));
  const [key] = found;
  if (key !== undefined && found.length === 1) return key;
  throw new Problem({
    kind: 'signing-key-unknown',
    what:
      found.length > 1
        ? `${shown(named)} is the beginning of several signing keys' names.`
        : `There is no signing key ${shown(named)}.`,
    fix: '`vouch-server signing-keys list` shows them, and with --json their whole names.',
  });
}
