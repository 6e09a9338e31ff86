import { audit, type By } from '../audit/audit.ts';
import type { PersonRole } from '../store/schema.ts';
import type { StoreTransaction } from '../store/store.ts';
import { knownPerson } from './known-person.ts';
import { checkOwnerRemains } from './last-owner.ts';
import { revokeOpenInvitations } from './open-invitations.ts';
import { type PersonState, personState } from './people.ts';

export interface RoleGiven {
  email: string;
  role: PersonRole;
  /** False when the person had the role before. */
  changed: boolean;
  state: PersonState;
  /** How many open invitations were voided: they would have made the person an owner again. */
  invitations: number;
}

/**
 * Makes a person an owner.
 *
 * @throws Problem `person-unknown`
 */
export async function promote(transaction: StoreTransaction, now: number, address: string, by: By): Promise<RoleGiven> {
  return giveRole(transaction, now, address, 'owner', by);
}

/**
 * Makes an owner a member, and voids the invitations that would make them an owner, even of somebody who is not one yet.
 *
 * @throws Problem `person-unknown` or `last-owner`
 */
export async function demote(transaction: StoreTransaction, now: number, address: string, by: By): Promise<RoleGiven> {
  return giveRole(transaction, now, address, 'member', by);
}

async function giveRole(
  transaction: StoreTransaction,
  now: number,
  address: string,
  role: PersonRole,
  by: By,
): Promise<RoleGiven> {
  const person = await knownPerson(transaction, address);
  const { id, email } = person;
  const changed = person.role !== role;
  if (changed) {
    if (role === 'member') await checkOwnerRemains(transaction, now, person, 'be made a member');
    await transaction.updateTable('people').set({ role }).where('id', '=', id).execute();
    const event = role === 'owner' ? 'person-promoted' : 'person-demoted';
    await audit(transaction, now, { ...by, event, subject: email });
  }
  const why = { ...by, reason: 'person-demoted' as const };
  const invitations =
    role === 'owner' ? 0 : await revokeOpenInvitations(transaction, now, email, why, { role: 'owner' });
  return { email, role, changed, state: personState(person, now), invitations };
}
