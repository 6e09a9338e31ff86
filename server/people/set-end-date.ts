import { audit, type By } from '../audit/audit.ts';
import { Problem } from '../problem/problem.ts';
import { isOver } from '../store/shut-out.ts';
import type { StoreTransaction } from '../store/store.ts';
import { knownPerson } from './known-person.ts';
import { checkOwnerRemains, lockPeople } from './last-owner.ts';
import { signOut } from './sign-out.ts';

export interface EndDateSet {
  email: string;
  /** False when the person had this end date before. */
  changed: boolean;
  endsAt: number | null;
  /** Whether the person stays disabled, whatever the end date is. */
  disabled: boolean;
}

/**
 * Sets or removes the moment from which on a person is shut out. If it had come, their sessions end for good: none comes back.
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
  await lockPeople(transaction);
  const person = await knownPerson(transaction, address);
  const { id, email, disabled_at } = person;
  const set = { email, changed: person.ends_at !== endsAt, endsAt, disabled: disabled_at !== null };
  if (!set.changed) return set;
  const sooner = endsAt !== null && (person.ends_at === null || endsAt < person.ends_at);
  if (sooner) await checkOwnerRemains(transaction, now, person, 'get an end date');
  await transaction.updateTable('people').set({ ends_at: endsAt }).where('id', '=', id).execute();
  const detail = { endsAt };
  await audit(transaction, now, { ...by, event: 'person-end-set', subject: email, detail });
  if (isOver(person, now)) await signOut(transaction, now, { personId: id }, { ...by, reason: 'end-date' });
  return set;
}

function over(): Problem {
  return new Problem({
    kind: 'option-refused',
    what: 'The end date has already passed.',
    fix: 'Give a later one. To shut somebody out at once: vouch-server people disable EMAIL',
  });
}
