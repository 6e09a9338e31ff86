import type { By } from '../audit/audit.ts';
import { findPerson } from '../people/people.ts';
import type { StoreTransaction } from '../store/store.ts';
import { findLatest } from './find.ts';
import { type Invitation, inviteWithin } from './invite.ts';
import { notOpen } from './problems.ts';
import { invitationState } from './state.ts';

/**
 * Makes a new code for an invitation that is open or has expired, with the same rights and the usual time, and voids the old one. (Codes
 * are stored as hashes: none can be shown again.) One that was used or revoked is no more: to invite again is another decision.
 *
 * @param which an address, or an invitation's ID
 * @throws Problem `invitation-unknown`, or as `inviteAll`, because the person may have changed since
 */
export async function resendInvitation(
  transaction: StoreTransaction,
  now: number,
  which: string,
  by: By,
): Promise<Invitation> {
  const latest = await findLatest(transaction, which, now);
  if (!['open', 'expired'].includes(invitationState(latest, now))) throw notOpen(latest, now);
  const { email, role, replace_keys, ends_at } = latest;
  // Somebody who is here by now keeps the end date that they have.
  const isNew = (await findPerson(transaction, email)) === undefined;
  const request = { email, role, replaceKeys: replace_keys === 1, endsAt: isNew ? ends_at : null };
  const [invitation] = await inviteWithin(transaction, now, [request], by);
  return invitation as Invitation;
}
