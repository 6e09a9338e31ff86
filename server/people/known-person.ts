import { sql } from 'kysely';
import { Problem } from '../problem/problem.ts';
import { likeText } from '../store/like.ts';
import type { Store } from '../store/store.ts';
import { nearest } from '../text/edit-distance.ts';
import { shown } from '../text/shown.ts';
import { findPerson } from './people.ts';

/** The longest text that is compared with addresses: AWS takes no longer ones (`normalizeEmail`). */
const LONGEST = 64;

/** The most addresses that are compared with an unknown one. */
const CANDIDATES = 200;

/** How many characters a mistyped address may have wrong, for another one to be suggested. */
const typosIn = (text: string) => Math.min(3, Math.floor(text.length / 2));

/**
 * The person with an address, as an administrator typed it.
 *
 * @throws Problem `person-unknown`, with the nearest address
 */
export async function knownPerson(store: Store, typed: string) {
  const email = typed.trim().toLowerCase();
  return (await findPerson(store, email)) ?? Promise.reject(await personUnknown(store, email.slice(0, LONGEST)));
}

async function personUnknown(store: Store, email: string): Promise<Problem> {
  const near = await nearestAddress(store, email);
  return new Problem({
    kind: 'person-unknown',
    what: `Nobody here has the address ${shown(email)}.`,
    fix:
      near === undefined
        ? '`vouch-server people list` shows everybody. Somebody who has not used an invitation yet is not among them.'
        : `Did you mean ${near}?`,
  });
}

/**
 * Compares only with addresses that have parts in common with this one, those with the most parts first: not everybody's address is
 * read. Without an `@`, the names alone are compared.
 */
async function nearestAddress(store: Store, email: string): Promise<string | undefined> {
  const [name = ''] = email.split('@', 1);
  if (name === '') return undefined;
  const half = Math.ceil(name.length / 2);
  const parts = [
    `${likeText(name)}@%`,
    `${likeText(name.slice(0, half))}%`,
    `%${likeText(name.slice(half))}@%`,
    `${likeText(name.slice(0, 2))}%`,
    `%${likeText(name.slice(-2))}@%`,
  ].map((pattern) => sql<number>`case when email like ${pattern} escape '\\' then 1 else 0 end`);
  const inCommon = sql<number>`(${sql.join(parts, sql` + `)})`;
  const rows = await store
    .selectFrom('people')
    .where(inCommon, '>', 0)
    .orderBy(inCommon, 'desc')
    .orderBy('email')
    .limit(CANDIDATES)
    .select('email')
    .execute();
  const addresses = rows.map((row) => row.email);
  if (email.includes('@')) return nearest(email, addresses, typosIn(email));
  const nameOf = (address: string) => address.split('@', 1)[0] ?? '';
  const near = nearest(email, addresses.map(nameOf), typosIn(email));
  return addresses.find((address) => nameOf(address) === near);
}
