import { randomUUID } from 'node:crypto';
import type { Store } from '../store/store.ts';

/** The person of an address, in lower case; also one who is disabled. */
export function findPerson(store: Store, email: string) {
  return store.selectFrom('people').selectAll().where('email', '=', email).executeTakeFirst();
}

/**
 * The person of an address, made if they are new.
 *
 * @param person their address in lower case, and whether they may administer the server (1) or need not (0)
 * @param userHandle WebAuthn's user handle for somebody new, base64url
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
    // An invitation can raise somebody to administrator, never the other way round.
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
