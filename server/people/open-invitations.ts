import type { ExpressionBuilder } from 'kysely';
import { auditAll, type By } from '../audit/audit.ts';
import type { Schema } from '../store/schema.ts';
import type { StoreTransaction } from '../store/store.ts';

/** An open invitation is neither used nor revoked nor expired. */
export const isOpen = (now: number) => (is: ExpressionBuilder<Schema, 'invitations'>) =>
  is.and([is('used_at', 'is', null), is('revoked_at', 'is', null), is('expires_at', '>', now)]);

/** Why invitations are voided although nobody revoked them. */
type VoidReason =
  | 'person-disabled'
  | 'person-removed'
  | 'person-demoted'
  | 'end-date'
  | 'key-removed'
  | 'keys-replaced';

/**
 * Voids open invitations of an address, each with its row in the audit trail.
 *
 * @param which only those with these columns; by default all
 * @param why who acts, and why
 * @returns how many there were
 */
export async function revokeOpenInvitations(
  transaction: StoreTransaction,
  now: number,
  email: string,
  why: { reason: VoidReason } & By,
  which: Partial<Pick<Schema['invitations'], 'role' | 'replace_keys'>> = {},
): Promise<number> {
  const revoked = await transaction
    .updateTable('invitations')
    .set({ revoked_at: now })
    .where('email', '=', email)
    .where(isOpen(now))
    .where((is) => is.and(which))
    .returning('id')
    .execute();
  await auditAll(
    transaction,
    now,
    revoked.map(() => ({ ...why, event: 'invitation-revoked' as const, subject: email })),
  );
  return revoked.length;
}
