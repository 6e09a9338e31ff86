import { audit, type RequestSource } from '../audit/audit.ts';
import { Problem } from '../problem/problem.ts';
import { endSessions } from '../sessions/sessions.ts';
import type { Store, StoreTransaction } from '../store/store.ts';
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

/** What a person's keys are called, oldest first. */
export async function keyNamesOf(store: Store, email: string): Promise<{ name: string; model: string | null }[]> {
  return store
    .selectFrom('keys')
    .innerJoin('people', 'people.id', 'keys.person_id')
    .where('people.email', '=', email)
    .where('keys.removed_at', 'is', null)
    .orderBy('keys.created_at')
    .orderBy('keys.id')
    .select(['keys.name', 'keys.model'])
    .execute();
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

/**
 * Removes all keys of a person who enrols a new one in their place, and ends all that these keys have begun: sessions, and visits of my
 * account. It belongs into the transaction that stores the new key, so that the person always has either.
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
  const removed = await transaction
    .updateTable('keys')
    .set({ removed_at: now })
    .where('person_id', '=', person.id)
    .where('removed_at', 'is', null)
    .returning(['id', 'name', 'model'])
    .execute();
  const why = { reason: 'keys-replaced', actor: person.email, from } as const;
  for (const { id, name, model } of removed) {
    await audit(transaction, now, {
      event: 'key-removed',
      subject: person.email,
      keyId: id,
      detail: { name, model },
      ...why,
    });
  }
  await endSessions(transaction, now, { personId: person.id }, why);
  await transaction.deleteFrom('web_sessions').where('person_id', '=', person.id).execute();
  return removed.length;
}
