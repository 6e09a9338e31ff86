import { audit, type By } from '../audit/audit.ts';
import type { StoreTransaction } from '../store/store.ts';
import { knownPerson } from './known-person.ts';
import { checkOwnerRemains } from './last-owner.ts';
import { revokeOpenInvitations } from './open-invitations.ts';
import { type SignedOut, signOut } from './sign-out.ts';

export interface Disabled extends SignedOut {
  email: string;
  /** False when the person was disabled before: then nothing has changed. */
  changed: boolean;
  invitations: number;
}

/**
 * Shuts a person out at once: ends all their sessions, and voids their invitations. They keep their keys, which work again after
 * `enable`.
 *
 * @param text why, in the administrator's words, for the audit trail
 * @throws Problem `person-unknown` or `last-owner`
 */
export async function disable(
  transaction: StoreTransaction,
  now: number,
  address: string,
  by: By,
  text?: string,
): Promise<Disabled> {
  const person = await knownPerson(transaction, address);
  const { id, email } = person;
  if (person.disabled_at !== null) return { email, changed: false, sessions: [], browsers: 0, invitations: 0 };
  await checkOwnerRemains(transaction, now, person, 'be disabled');
  await transaction.updateTable('people').set({ disabled_at: now }).where('id', '=', id).execute();
  const detail = text === undefined ? {} : { text };
  await audit(transaction, now, { ...by, event: 'person-disabled', subject: email, detail });
  const why = { ...by, reason: 'person-disabled' as const };
  const ended = await signOut(transaction, now, { personId: id }, why);
  const invitations = await revokeOpenInvitations(transaction, now, email, why);
  return { email, changed: true, ...ended, invitations };
}

export interface Enabled {
  email: string;
  /** False when the person was not disabled. */
  changed: boolean;
  /** The end date, which still holds. */
  endsAt: number | null;
}

/**
 * Undoes `disable`, and nothing else: no session comes back, and an end date still holds.
 *
 * @throws Problem `person-unknown`
 */
export async function enable(transaction: StoreTransaction, now: number, address: string, by: By): Promise<Enabled> {
  const person = await knownPerson(transaction, address);
  const enabled = { email: person.email, changed: person.disabled_at !== null, endsAt: person.ends_at };
  if (!enabled.changed) return enabled;
  await transaction.updateTable('people').set({ disabled_at: null }).where('id', '=', person.id).execute();
  await audit(transaction, now, { ...by, event: 'person-enabled', subject: person.email });
  return enabled;
}
