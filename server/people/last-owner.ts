import { Problem } from '../problem/problem.ts';
import type { Schema } from '../store/schema.ts';
import { isShutOut } from '../store/shut-out.ts';
import type { StoreTransaction } from '../store/store.ts';

/**
 * Makes sure that somebody can administer the server without this person: another owner with a key, who is neither disabled nor has an
 * end date, because time alone must not take the last one away. Two changes that each leave one owner cannot leave none together:
 * transactions that write follow each other.
 *
 * @param done what would happen to the person, as in "… cannot be removed"
 * @throws Problem `last-owner`
 */
export async function checkOwnerRemains(
  transaction: StoreTransaction,
  now: number,
  person: Pick<Schema['people'], 'id' | 'email' | 'role' | 'disabled_at' | 'ends_at'>,
  done: string,
): Promise<void> {
  if (person.role !== 'owner' || isShutOut(person, now)) return;
  const other = await transaction
    .selectFrom('people')
    .where('role', '=', 'owner')
    .where('id', '!=', person.id)
    .where('disabled_at', 'is', null)
    .where('ends_at', 'is', null)
    .where((is) =>
      is.exists(
        is
          .selectFrom('keys')
          .whereRef('keys.person_id', '=', 'people.id')
          .where('keys.removed_at', 'is', null)
          .select('keys.id'),
      ),
    )
    .select('id')
    .executeTakeFirst();
  if (other !== undefined) return;
  throw new Problem({
    kind: 'last-owner',
    what: `${person.email} is the last owner, and cannot ${done}.`,
    why: 'There must always be an owner who has a key, is not disabled, and has no end date.',
    fix: 'Make somebody else an owner first: vouch-server people promote EMAIL',
  });
}
