import { audit, type By } from '../audit/audit.ts';
import { isOpen } from '../people/open-invitations.ts';
import type { StoreTransaction } from '../store/store.ts';
import { findLatest } from './find.ts';
import { notOpen } from './problems.ts';

/**
 * Voids an open invitation. An enrolment that it began stops at its next step.
 *
 * @param which an address, or an invitation's ID
 * @throws Problem `invitation-unknown` when it has no open one
 */
export async function revokeInvitation(
  transaction: StoreTransaction,
  now: number,
  which: string,
  by: By,
): Promise<{ id: string; email: string }> {
  const latest = await findLatest(transaction, which, now);
  const revoked = await transaction
    .updateTable('invitations')
    .set({ revoked_at: now })
    .where('id', '=', latest.id)
    .where(isOpen(now))
    .returning(['id', 'email'])
    .executeTakeFirst();
  if (revoked === undefined) throw notOpen(latest, now);
  await audit(transaction, now, { ...by, event: 'invitation-revoked', subject: revoked.email });
  return revoked;
}
