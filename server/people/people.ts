import { randomUUID } from 'node:crypto';
import type { PersonRole } from '../store/schema.ts';
import { isShutOut } from '../store/shut-out.ts';
import type { Store } from '../store/store.ts';

/** The person with this address (in lower case), even if disabled. */
export function findPerson(store: Store, email: string) {
  return store.selectFrom('people').selectAll().where('email', '=', email).executeTakeFirst();
}

/** Whether anybody is an owner, even one who is shut out. */
export async function hasOwner(store: Store): Promise<boolean> {
  const owner = await store.selectFrom('people').select('id').where('role', '=', 'owner').limit(1).executeTakeFirst();
  return owner !== undefined;
}

/** Whether somebody can use the server. */
export type PersonState = 'active' | 'disabled' | 'ended';

/** Whether somebody can use the server, and if not, what shuts them out: an administrator, or their end date. */
export function personState(person: { disabled_at: number | null; ends_at: number | null }, now: number): PersonState {
  if (person.disabled_at !== null) return 'disabled';
  return isShutOut(person, now) ? 'ended' : 'active';
}

/**
 * Finds the person with an address, or makes one. Nobody's end date changes: an invitation gives one only to a new person.
 *
 * @param person the address in lower case, the role and the end date
 * @param userHandle WebAuthn's user handle for a new person, base64url
 * @param now milliseconds since the epoch
 * @returns the person's ID, and whether this made an owner of them
 */
export async function findOrMakePerson(
  store: Store,
  { email, role, ends_at }: { email: string; role: PersonRole; ends_at: number | null },
  userHandle: string,
  now: number,
): Promise<{ id: string; promoted: boolean }> {
  const person = await findPerson(store, email);
  if (person !== undefined) {
    // An invitation can make an owner of somebody, but never the reverse.
    const promoted = role === 'owner' && person.role !== 'owner';
    if (promoted) await store.updateTable('people').set({ role }).where('id', '=', person.id).execute();
    return { id: person.id, promoted };
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
  return { id, promoted: role === 'owner' };
}
