import { statement } from '../store/statement.ts';
import type { Store } from '../store/store.ts';

/** How often a person is advised at most, in milliseconds. */
const EVERY_MS = 7 * 24 * 3600_000;

const advise = statement((store, { personId, now, before }: { personId: string; now: number; before: number }) =>
  store
    .updateTable('people')
    .set({ suggested_at: now })
    .where('id', '=', personId)
    .where((is) => is.or([is('suggested_at', 'is', null), is('suggested_at', '<=', before)]))
    .where(
      (is) =>
        is
          .selectFrom('keys')
          .whereRef('keys.person_id', '=', 'people.id')
          .where('keys.removed_at', 'is', null)
          .select((count) => count.fn.countAll().as('count')),
      '=',
      1,
    )
    .returning('id'),
);

/**
 * Whether this sign-in should advise its person to add a spare key: they have only one, and were not advised within the last week. Notes
 * that they are, in the same atomic statement.
 */
export async function shouldSuggestSpare(store: Store, personId: string, now: number): Promise<boolean> {
  return (await advise(store, { personId, now, before: now - EVERY_MS })).length > 0;
}
