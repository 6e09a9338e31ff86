import { contains } from '../store/like.ts';
import { type Page, type PageRequest, pageOf, readCursor } from '../store/page.ts';
import type { Store } from '../store/store.ts';

/** Which keys to list: those for which all of this holds. */
export interface KeysFilter {
  personId?: string | undefined;
  /** Neither used nor enrolled since then, in milliseconds since the epoch. */
  notUsedSince?: number | undefined;
  /** A part of the owner's address. */
  search?: string | undefined;
}

/** A key, as a list shows it. Times are milliseconds since the epoch. */
export interface ListedKey {
  /** WebAuthn's credential ID, base64url. */
  id: string;
  email: string;
  name: string;
  model: string | null;
  createdAt: number;
  lastUsedAt: number | null;
}

/**
 * A page of the keys that are not removed, by the owner's address and then by age.
 *
 * @throws Problem `option-refused` when the cursor is not one of this list
 */
export async function listKeys(
  store: Store,
  { personId, notUsedSince, search }: KeysFilter,
  { limit, after }: PageRequest,
): Promise<Page<ListedKey>> {
  let query = store
    .selectFrom('people')
    .innerJoin('keys', 'keys.person_id', 'people.id')
    .where('keys.removed_at', 'is', null)
    .select(['keys.id', 'people.email', 'keys.name', 'keys.model', 'keys.created_at', 'keys.last_used_at'])
    .orderBy('people.email')
    .orderBy('keys.created_at')
    .orderBy('keys.id')
    .limit(limit + 1);
  if (personId !== undefined) query = query.where('people.id', '=', personId);
  if (search !== undefined) query = query.where(contains('people.email', search));
  if (notUsedSince !== undefined) {
    query = query.where((is) =>
      is.and([
        is('keys.created_at', '<=', notUsedSince),
        is(is.fn.coalesce('keys.last_used_at', is.val(0)), '<=', notUsedSince),
      ]),
    );
  }
  if (after !== undefined) {
    const [email = '', createdAt = 0, id = ''] = readCursor<[string, number, string]>(after, ['', 0, '']);
    query = query
      .where('people.email', '>=', email)
      .where((is) =>
        is.or([
          is('people.email', '>', email),
          is('keys.created_at', '>', createdAt),
          is.and([is('keys.created_at', '=', createdAt), is('keys.id', '>', id)]),
        ]),
      );
  }
  const rows = await query.execute();
  const keys = rows.map((row) => ({
    id: row.id,
    email: row.email,
    name: row.name,
    model: row.model,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
  }));
  return pageOf(keys, limit, (key) => [key.email, key.createdAt, key.id]);
}
