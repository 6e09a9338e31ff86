import { randomUUID } from 'node:crypto';
import type { PersonRole } from '../store/schema.ts';
import type { Store } from '../store/store.ts';

/** The person with this address (in lower case), even if disabled. */
export function findPerson(store: Store, email: string) {
  return store.selectFrom('people').selectAll().where('email', '=', email).executeTakeFirst();
}

/** Whether somebody is disabled, or their end date has come. */
export function isShutOut(person: { disabled_at: number | null; ends_at: number | null }, now: number): boolean {
  return person.disabled_at !== null || (person.ends_at !== null && person.ends_at <= now);
}

/**
 * Finds the person with an address, or makes one. Nobody's end date changes: an invitation gives one only to a new person.
 *
 * @param person the address in lower case, the role and the end date
 * @param userHandle WebAuthn's user handle for a new person, base64url
 * @param now milliseconds since the epoch
 * @returns the person's ID
 */
export async function findOrMakePerson(
  store: Store,
  { email, role, ends_at }: { email: string; role: PersonRole; ends_at: number | null },
  userHandle: string,
  now: number,
): Promise<string> {
  const person = await findPerson(store, email);
  if (person !== undefined) {
    // An invitation can make an owner of somebody, but never the reverse.
    if (role === 'owner') await store.updateTable('people').set({ role }).where('id', '=', person.id).execute();
    return person.id;
  }
  const id = randomUUID();
  await store
    .insertInto('people')
    .values({
      id,
      email,
      user_handle: userHandle,
      role,
      created_at: now,
      disabled_at: null,
      ends_at,
      suggested_at: null,
    })
    .execute();
  return id;
}
