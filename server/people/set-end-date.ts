import { audit, type By } from '../audit/audit.ts';
import { Problem } from '../problem/problem.ts';
import { isOver } from '../store/shut-out.ts';
import type { StoreTransaction } from '../store/store.ts';
import { knownPerson } from './known-person.ts';
import { checkOwnerRemains } from './last-owner.ts';
import { revokeOpenInvitations } from './open-invitations.ts';
import { type SignedOut, signOut } from './sign-out.ts';

/** With what ended for good, because the end date before had come. */
export interface EndDateSet extends SignedOut {
  email: string;
  /** False when the person had this end date before. */
  changed: boolean;
  endsAt: number | null;
  /** Whether the person stays disabled, whatever the end date is. */
  disabled: boolean;
  /** How many open invitations were voided. */
  invitations: number;
}

/**
 * Sets or removes the moment from which on a person is shut out. If it had come, their sessions end for good and open
 * invitations are void: nothing comes back.
 *
 * @param endsAt milliseconds since the epoch; null for no end
 * @throws Problem `person-unknown` or `last-owner`, and `option-refused` when the moment is over
 */
export async function setEndDate(
  transaction: StoreTransaction,
  now: number,
  address: string,
  endsAt: number | null,
  by: By,
): Promise<EndDateSet> {
  if (endsAt !== null && endsAt <= now) throw over();
  const person = await knownPerson(transaction, address);
  const { id, email, disabled_at } = person;
  const changed = person.ends_at !== endsAt;
  const set = { email, changed, endsAt, disabled: disabled_at !== null, sessions: [], browsers: 0, invitations: 0 };
  if (!changed) return set;
  const sooner = endsAt !== null && (person.ends_at === null || endsAt < person.ends_at);
  if (sooner) await checkOwnerRemains(transaction, now, person, 'get an end date');
  await transaction.updateTable('people').set({ ends_at: endsAt }).where('id', '=', id).execute();
  const detail = { endsAt };
  await audit(transaction, now, { ...by, event: 'person-end-set', subject: email, detail });
  if (!isOver(person, now)) return set;
  const why = { ...by, reason: 'end-date' as const };
  const ended = await signOut(transaction, now, { personId: id }, why);
  return { ...set, ...ended, invitations: await revokeOpenInvitations(transaction, now, email, why) };
}

function over(): Problem {
  return new Problem({
    kind: 'option-refused',
    what: 'The end date has already passed.',
    fix: 'Give a later one. To shut somebody out at once: vouch-server people disable EMAIL',
  });
}
