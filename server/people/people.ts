import { randomUUID } from 'node:crypto';
import type { Store } from '../store/store.ts';

/** The person with this address (in lower case), even if disabled. */
export function findPerson(store: Store, email: string) {
  return store.selectFrom('people').selectAll().where('email', '=', email).executeTakeFirst();
}

/**
 * Finds the person with an address, or makes one.
 *
 * @param person the address in lower case; `admin` is 1 if they may administer the server,
 * otherwise 0
 * @param userHandle WebAuthn's user handle for a new person, base64url
 * @param now milliseconds since the epoch
 * @returns the person's ID, or undefined when they are disabled
 */
export async function findOrMakePerson(
  store: Store,
  { email, admin }: { email: string; admin: number },
  userHandle: string,
  now: number,
): Promise<string | undefined> {
  const person = await findPerson(store, email);
  if (person !== undefined) {
    if (person.disabled_at !== null) return undefined;
    // An invitation can make an administrator of somebody, but never the reverse.
    if (admin === 1) await store.updateTable('people').set({ admin }).where('id', '=', person.id).execute();
    return person.id;
  }
  const id = randomUUID();
  await store
    .insertInto('people')
    .values({ id, email, user_handle: userHandle, admin, created_at: now, disabled_at: null })
    .execute();
  return id;
}
