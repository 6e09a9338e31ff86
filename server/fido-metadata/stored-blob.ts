import type { Store } from '../store/store.ts';

/** The latest edition that was verified before, if its number is above this one; undefined if there is none. */
export async function findStoredBlob(
  store: Store,
  above = -1,
): Promise<{ blob: string; fetchedAt: number } | undefined> {
  const row = await store
    .selectFrom('fido_metadata')
    .select(['blob', 'fetched_at'])
    .where('id', '=', 1)
    .where('number', '>', above)
    .executeTakeFirst();
  return row && { blob: row.blob, fetchedAt: row.fetched_at };
}

/**
 * Stores a verified edition, unless a newer one is there already (FIDO Metadata Service v3.1, section 3.2: an edition whose number is
 * not higher is ignored). One statement decides.
 *
 * @param now milliseconds since the epoch
 */
export async function storeBlob(
  store: Store,
  edition: { number: number; blob: string; source: string },
  now: number,
): Promise<void> {
  await store
    .insertInto('fido_metadata')
    .values({ id: 1, ...edition, fetched_at: now })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet((is) => ({
          number: is.ref('excluded.number'),
          blob: is.ref('excluded.blob'),
          source: is.ref('excluded.source'),
          fetched_at: is.ref('excluded.fetched_at'),
        }))
        .whereRef('fido_metadata.number', '<', 'excluded.number'),
    )
    .execute();
}
