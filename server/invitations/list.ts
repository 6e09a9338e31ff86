import { isOpen } from '../people/open-invitations.ts';
import { contains } from '../store/like.ts';
import { type Page, type PageRequest, pageOf, readCursor } from '../store/page.ts';
import type { PersonRole } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { type InvitationState, invitationState } from './state.ts';

/** Which invitations to list: those for which all of this holds. */
export interface InvitationsFilter {
  /** Also those that are used, revoked or expired. */
  all?: boolean | undefined;
  owners?: boolean | undefined;
  replaceKeys?: boolean | undefined;
  /** A part of the address. */
  search?: string | undefined;
}

/** An invitation, as a list shows it. Times are milliseconds since the epoch. */
export interface ListedInvitation {
  id: string;
  email: string;
  role: PersonRole;
  replaceKeys: boolean;
  /** The end date that the person gets. */
  endsAt: number | null;
  invitedBy: string;
  createdAt: number;
  expiresAt: number;
  state: InvitationState;
  /** When it was used or revoked. */
  closedAt: number | null;
}

/**
 * A page of the invitations, the newest first. Nothing of a code is among what it reads.
 *
 * @param now milliseconds since the epoch
 * @throws Problem `option-refused` when the cursor is not one of this list
 */
export async function listInvitations(
  store: Store,
  now: number,
  filter: InvitationsFilter,
  { limit, after }: PageRequest,
): Promise<Page<ListedInvitation>> {
  let query = store
    .selectFrom('invitations')
    .select(['id', 'email', 'role', 'replace_keys', 'ends_at', 'invited_by', 'created_at', 'expires_at'])
    .select(['used_at', 'revoked_at'])
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(limit + 1);
  if (!filter.all) query = query.where(isOpen(now));
  if (filter.owners) query = query.where('role', '=', 'owner');
  if (filter.replaceKeys) query = query.where('replace_keys', '=', 1);
  if (filter.search !== undefined) query = query.where(contains('invitations.email', filter.search));
  if (after !== undefined) {
    const [createdAt = 0, id = ''] = readCursor<[number, string]>(after, [0, '']);
    query = query.where((is) =>
      is.or([is('created_at', '<', createdAt), is.and([is('created_at', '=', createdAt), is('id', '>', id)])]),
    );
  }
  const rows = await query.execute();
  const invitations = rows.map((row) => ({
    id: row.id,
    email: row.email,
    role: row.role,
    replaceKeys: row.replace_keys === 1,
    endsAt: row.ends_at,
    invitedBy: row.invited_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    state: invitationState(row, now),
    closedAt: row.used_at ?? row.revoked_at,
  }));
  return pageOf(invitations, limit, ({ createdAt, id }) => [createdAt, id]);
}
