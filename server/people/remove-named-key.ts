import type { By } from '../audit/audit.ts';
import { Problem } from '../problem/problem.ts';
import type { Store, StoreTransaction } from '../store/store.ts';
import { shown } from '../text/shown.ts';
import { knownPerson } from './known-person.ts';
import { type RemovedKey, removeKey } from './remove-key.ts';

export interface RemovedNamedKey extends RemovedKey {
  id: string;
}

/**
 * Removes one of a person's keys at once, with all sessions that it began. It may be the last one.
 *
 * @param named the key's name, its ID, or the beginning of its ID
 * @throws Problem `person-unknown`, or `key-unknown` when there is no such key, or more than one
 */
export async function removeNamedKey(
  transaction: StoreTransaction,
  now: number,
  address: string,
  named: string,
  by: By,
): Promise<RemovedNamedKey> {
  const person = await knownPerson(transaction, address);
  const { id } = await findKey(transaction, person, named);
  const removed = await removeKey(transaction, now, id, by);
  if (removed === undefined) throw keyUnknown(person.email, named);
  return { id, ...removed };
}

/** Fewer characters do not name a key by the beginning of its ID. */
const SHORTEST_ID = 6;

/**
 * A person's key by its name, its ID, or the beginning of its ID.
 *
 * @throws Problem `key-unknown` when there is no such key, or more than one
 */
async function findKey(
  store: Store,
  person: { id: string; email: string },
  named: string,
): Promise<{ id: string; name: string }> {
  const keys = await store
    .selectFrom('keys')
    .where('person_id', '=', person.id)
    .where('removed_at', 'is', null)
    .select(['id', 'name'])
    .orderBy('created_at')
    .execute();
  const ways: ((key: { id: string; name: string }) => boolean)[] = [
    ({ name }) => name === named,
    ({ id }) => id === named,
    ({ name }) => name.toLowerCase() === named.toLowerCase(),
    ({ id }) => named.length >= SHORTEST_ID && id.startsWith(named),
  ];
  const found = ways.map((way) => keys.filter(way)).find((some) => some.length > 0) ?? [];
  const [key] = found;
  if (key === undefined || found.length > 1) throw keyUnknown(person.email, named, found.length, keys);
  return key;
}

function keyUnknown(email: string, named: string, count = 0, keys: { name: string }[] = []): Problem {
  const name = shown(named);
  const names = keys.slice(0, 20).map(({ name }) => JSON.stringify(name));
  return new Problem({
    kind: 'key-unknown',
    what: count > 1 ? `${email} has ${count} keys that ${name} can mean.` : `${email} has no key ${name}.`,
    fix:
      names.length === 0
        ? `${email} has no keys.`
        : `The keys of ${email}: ${names.join(', ')}. vouch-server keys list ${email} shows their IDs.`,
  });
}
