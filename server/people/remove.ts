import { audit, type By } from '../audit/audit.ts';
import type { StoreTransaction } from '../store/store.ts';
import { knownPerson } from './known-person.ts';
import { checkOwnerRemains } from './last-owner.ts';
import { revokeOpenInvitations } from './open-invitations.ts';
import { type SignedOut, signOut } from './sign-out.ts';

export interface Removed extends SignedOut {
  email: string;
  /** How many keys the person had. */
  keys: number;
  invitations: number;
}

/**
 * Removes a person with all keys and sessions, and voids their invitations. The audit trail keeps what they did.
 *
 * @throws Problem `person-unknown` or `last-owner`
 */
export async function remove(transaction: StoreTransaction, now: number, address: string, by: By): Promise<Removed> {
  const person = await knownPerson(transaction, address);
  const { id, email, role } = person;
  await checkOwnerRemains(transaction, now, person, 'be removed');
  const why = { ...by, reason: 'person-removed' as const };
  const ended = await signOut(transaction, now, { personId: id }, why);
  const invitations = await revokeOpenInvitations(transaction, now, email, why);
  await transaction.deleteFrom('sessions').where('person_id', '=', id).execute();
  const keys = await transaction
    .deleteFrom('keys')
    .where('person_id', '=', id)
    .returning(['id', 'removed_at'])
    .execute();
  await transaction.deleteFrom('people').where('id', '=', id).execute();
  const had = keys.filter((key) => key.removed_at === null).length;
  const detail = { role, keys: had };
  await audit(transaction, now, { ...by, event: 'person-removed', subject: email, detail });
  return { email, keys: had, ...ended, invitations };
}
