import { isOpen } from '../people/open-invitations.ts';
import type { Store } from '../store/store.ts';
import { noInvitation } from './problems.ts';

/**
 * The invitation that an administrator means.
 *
 * @param which an address, whose open invitation it is, or else the latest; or an invitation's ID
 * @throws Problem `invitation-unknown`
 */
export async function findLatest(store: Store, which: string, now: number) {
  const written = which.trim().toLowerCase();
  const found = store
    .selectFrom('invitations')
    .selectAll()
    .where(written.includes('@') ? 'email' : 'id', '=', written)
    .orderBy('created_at', 'desc');
  const invitation = (await found.where(isOpen(now)).executeTakeFirst()) ?? (await found.executeTakeFirst());
  if (invitation === undefined) throw noInvitation(written);
  return invitation;
}
