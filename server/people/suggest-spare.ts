import type { Store } from '../store/store.ts';

/** How often a person is advised at most, in milliseconds. */
const EVERY_MS = 7 * 24 * 3600_000;

/**
 * Whether this sign-in should advise its person to add a spare key: they have only one, and were not advised within the last week. Notes
 * that they are, in the same atomic statement.
 */
export async function shouldSuggestSpare(store: Store, personId: string, now: number): Promise<boolean> {
  const advised = await store
    .updateTable('people')
    .set({ suggested_at: now })
    .where('id', '=', personId)
    .where((is) => is.or([is('suggested_at', 'is', null), is('suggested_at', '<=', now - EVERY_MS)]))
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
    .returning('id')
    .executeTakeFirst();
  return advised !== undefined;
}
