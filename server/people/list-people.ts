import type { ExpressionBuilder } from 'kysely';
import { contains } from '../store/like.ts';
import { type Page, type PageRequest, pageOf, readCursor } from '../store/page.ts';
import type { PersonRole, Schema } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { type PersonState, personState } from './people.ts';

/** Which people to list: those for whom all of this holds. */
export interface PeopleFilter {
  id?: string | undefined;
  /** How many keys they have. */
  keys?: 0 | 1 | undefined;
  disabled?: boolean | undefined;
  owners?: boolean | undefined;
  /** Neither seen nor enrolled since then, in milliseconds since the epoch. */
  notSeenSince?: number | undefined;
  /** A part of the address. */
  search?: string | undefined;
}

/** A person, as a list shows them. Times are milliseconds since the epoch. */
export interface ListedPerson {
  email: string;
  role: PersonRole;
  state: PersonState;
  createdAt: number;
  disabledAt: number | null;
  endsAt: number | null;
  keys: number;
  /** The last sign-in or other touch; null for never. */
  lastSeenAt: number | null;
}

/**
 * A page of the people, by address.
 *
 * @param now milliseconds since the epoch
 * @throws Problem `option-refused` when the cursor is not one of this list
 */
export async function listPeople(
  store: Store,
  now: number,
  filter: PeopleFilter,
  { limit, after }: PageRequest,
): Promise<Page<ListedPerson>> {
  const { notSeenSince } = filter;
  let query = store
    .selectFrom('people')
    .select(['id', 'email', 'role', 'created_at', 'disabled_at', 'ends_at'])
    .select((is) => [countKeys(is).as('keys'), lastTouch(is).as('last_touch'), lastSignIn(is).as('last_sign_in')])
    .orderBy('email')
    .limit(limit + 1);
  if (after !== undefined) query = query.where('email', '>', readCursor(after, [''])[0] ?? '');
  if (filter.id !== undefined) query = query.where('id', '=', filter.id);
  if (filter.disabled) query = query.where('disabled_at', 'is not', null);
  if (filter.owners) query = query.where('role', '=', 'owner');
  if (filter.search !== undefined) query = query.where(contains('people.email', filter.search));
  if (filter.keys !== undefined) query = query.where(countKeys, '=', filter.keys);
  if (notSeenSince !== undefined) {
    query = query.where((is) =>
      is.and([
        is('created_at', '<=', notSeenSince),
        is(is.fn.coalesce(lastTouch(is), is.val(0)), '<=', notSeenSince),
        is(is.fn.coalesce(lastSignIn(is), is.val(0)), '<=', notSeenSince),
      ]),
    );
  }
  const rows = await query.execute();
  const people = rows.map((row) => ({
    email: row.email,
    role: row.role,
    state: personState(row, now),
    createdAt: row.created_at,
    disabledAt: row.disabled_at,
    endsAt: row.ends_at,
    keys: Number(row.keys),
    lastSeenAt: latest(row.last_touch, row.last_sign_in),
  }));
  return pageOf(people, limit, ({ email }) => [email]);
}

type Is = ExpressionBuilder<Schema, 'people'>;

/** Each is found through an index of the person's own keys or sessions. */
const theirKeys = (is: Is) => is.selectFrom('keys').whereRef('keys.person_id', '=', 'people.id');

function countKeys(is: Is) {
  return theirKeys(is)
    .where('keys.removed_at', 'is', null)
    .select((keys) => keys.fn.countAll<number>().as('count'));
}

/** Keys that were removed count too: the person was here. */
function lastTouch(is: Is) {
  return theirKeys(is).select((keys) => keys.fn.max('keys.last_used_at').as('last'));
}

function lastSignIn(is: Is) {
  return is
    .selectFrom('sessions')
    .whereRef('sessions.person_id', '=', 'people.id')
    .select((sessions) => sessions.fn.max('sessions.auth_time').as('last'));
}

function latest(...times: (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}
