import { Problem } from '../problem/problem.ts';
import type { Store } from '../store/store.ts';
import type { NewKey } from '../webauthn/registration.ts';

/** A person's keys, as WebAuthn's options name them. */
export async function keysOf(store: Store, email: string): Promise<{ id: string; transports: string[] }[]> {
  const rows = await store
    .selectFrom('keys')
    .innerJoin('people', 'people.id', 'keys.person_id')
    .where('people.email', '=', email)
    .where('keys.removed_at', 'is', null)
    .select(['keys.id', 'keys.transports'])
    .execute();
  return rows.map((row) => ({ id: row.id, transports: JSON.parse(row.transports) as string[] }));
}

/** The name of a person's new key: the given one or the model's, with a number if the person has a key of that name. */
export async function nameFor(store: Store, personId: string, wanted: string | null, key: NewKey): Promise<string> {
  const taken = await store.selectFrom('keys').select('name').where('person_id', '=', personId).execute();
  const names = new Set(taken.map((row) => row.name));
  const base = wanted ?? key.model ?? 'Security key';
  let name = base;
  for (let count = 2; names.has(name); count += 1) name = `${base} ${count}`;
  return name;
}

/**
 * Stores a new key.
 *
 * @throws Problem `key-refused` when it is enrolled already
 */
export async function insertKey(store: Store, personId: string, name: string, key: NewKey, now: number): Promise<void> {
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
  // WebAuthn, section 7.1, step 26: a credential ID belongs to one account.
  if (inserted === undefined) {
    throw new Problem({ kind: 'key-refused', what: 'This key is enrolled already', fix: 'Use another key.' });
  }
}
