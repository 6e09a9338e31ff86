import type { RequestSource } from '../audit/audit.ts';
import { Problem } from '../problem/problem.ts';
import type { Store, StoreTransaction } from '../store/store.ts';
import type { NewKey } from '../webauthn/registration.ts';
import type { RegistrationFault } from '../webauthn/registration-fault.ts';
import { removeKey } from './remove-key.ts';

/** A person's keys, the oldest first, as WebAuthn's options name them. */
export async function keysOf(store: Store, email: string): Promise<{ id: string; transports: string[] }[]> {
  const rows = await presentKeys(store, email).select(['keys.id', 'keys.transports']).execute();
  return rows.map((row) => ({ id: row.id, transports: JSON.parse(row.transports) as string[] }));
}

/** What a person's keys are called, oldest first. */
export async function keyNamesOf(store: Store, email: string): Promise<{ name: string; model: string | null }[]> {
  return presentKeys(store, email).select(['keys.name', 'keys.model']).execute();
}

function presentKeys(store: Store, email: string) {
  return store
    .selectFrom('keys')
    .innerJoin('people', 'people.id', 'keys.person_id')
    .where('people.email', '=', email)
    .where('keys.removed_at', 'is', null)
    .orderBy('keys.created_at')
    .orderBy('keys.id');
}

/** The name of a person's new key: the given one or the model's, with a number if the person has, or had, a key of that name. */
export async function nameFor(store: Store, personId: string, wanted: string | null, key: NewKey): Promise<string> {
  const taken = await store.selectFrom('keys').select('name').where('person_id', '=', personId).execute();
  const names = new Set(taken.map((row) => row.name));
  const base = wanted ?? key.model ?? 'Security key';
  let name = base;
  for (let count = 2; names.has(name); count += 1) name = `${base} ${count}`;
  return name;
}

/** The most keys that a person can have. */
const MOST_KEYS = 20;

/** @throws Problem `too-many-keys` when a person who has so many keys can have no further one */
export function checkRoom(keys: number): void {
  if (keys < MOST_KEYS) return;
  throw new Problem({
    kind: 'too-many-keys',
    what: `You have ${keys} keys already`,
    fix: 'Remove one that you no longer use, then add the new one.',
  });
}

/**
 * Stores a new key.
 *
 * @throws Problem `already-enrolled` when it is this person's already, `key-refused` when it is another person's, or `too-many-keys`
 */
export async function insertKey(store: Store, personId: string, name: string, key: NewKey, now: number): Promise<void> {
  const { count } = await store
    .selectFrom('keys')
    .where('person_id', '=', personId)
    .where('removed_at', 'is', null)
    .select((is) => is.fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  checkRoom(Number(count));
  const inserted = await store
    .insertInto('keys')
    .values({
      id: key.id,
      person_id: personId,
      name,
      model: key.model,
      aaguid: key.aaguid,
      public_key: key.publicKey,
      counter: key.counter,
      transports: JSON.stringify(key.transports),
      attestation: key.attestation,
      created_at: now,
      last_used_at: null,
      removed_at: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted !== undefined) return;
  // WebAuthn, section 7.1, step 26: a credential ID belongs to one account.
  const own = await store
    .selectFrom('keys')
    .where('id', '=', key.id)
    .where('person_id', '=', personId)
    .where('removed_at', 'is', null)
    .select('id')
    .executeTakeFirst();
  const what = 'This key is enrolled already';
  if (own !== undefined) {
    throw new Problem({
      kind: 'already-enrolled',
      what,
      fix: 'You can sign in with it. To enrol another key, use that one.',
    });
  }
  throw new Problem({
    kind: 'key-refused',
    what,
    fix: 'Use another key.',
    members: { reason: 'already-enrolled' satisfies RegistrationFault },
  });
}

/**
 * Removes all keys of a person who enrols a new one in their place, and ends all that these keys began: sessions, also those of my
 * account. It belongs in the transaction that stores the new key, so that the person is never left without a key.
 *
 * @param now milliseconds since the epoch
 * @returns how many keys there were
 */
export async function replaceKeys(
  transaction: StoreTransaction,
  now: number,
  person: { id: string; email: string },
  from: RequestSource,
): Promise<number> {
  const keys = await keysOf(transaction, person.email);
  for (const { id } of keys) {
    await removeKey(transaction, now, id, { reason: 'keys-replaced', actor: person.email, from });
  }
  return keys.length;
}
