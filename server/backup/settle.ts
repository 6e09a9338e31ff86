import { audit, auditAll, type By } from '../audit/audit.ts';
import type { Link } from '../audit/verify.ts';
import { isOpen } from '../people/open-invitations.ts';
import { type SignedOut, signOut } from '../people/sign-out.ts';
import type { StoreTransaction } from '../store/store.ts';

/** What survives of a restored database although it may have been over when the database was lost. */
export interface Kept {
  sessions: boolean;
  invitations: boolean;
}

/** What settling a restored database ended. */
export interface Settled extends SignedOut {
  /** How many open invitations were voided. */
  invitations: number;
}

/** What oidc-provider stores for as long as a session lasts, and what it stores in order to refuse it. */
const GRANT = 'Grant';
const USED_PROOF = 'ReplayDetection';

/**
 * Settles a database that was restored. It is as it was at the backup: an invitation that was used since is open again, and so is a session
 * that was ended, and nobody can tell. So nothing that works only once, or only for a while, survives: whoever has a key signs in again.
 *
 * @param transaction of the restored database, which no server uses yet
 * @param backup when it was made, and the end of its audit trail
 * @param by who restores it
 */
export async function settleRestored(
  transaction: StoreTransaction,
  now: number,
  backup: Link & { at: number | null },
  keep: Kept,
  by: By,
): Promise<Settled> {
  await audit(transaction, now, {
    ...by,
    event: 'database-restored',
    detail: { backedUpAt: backup.at, lastId: backup.id, hash: backup.hash },
  });
  const invitations = keep.invitations ? 0 : await voidInvitations(transaction, now, by);
  const ended = keep.sessions
    ? { sessions: [], browsers: 0 }
    : await signOut(transaction, now, 'all', { ...by, reason: 'ended-by-administrator' });
  // Codes, requests and ceremonies that were under way: their programs and pages begin again.
  await transaction.deleteFrom('challenges').execute();
  await transaction.deleteFrom('enrolments').execute();
  const lasting = keep.sessions ? [USED_PROOF, GRANT] : [USED_PROOF];
  await transaction.deleteFrom('oidc_payloads').where('model', 'not in', lasting).execute();
  await transaction.updateTable('server').set({ backed_up_at: null }).where('id', '=', 1).execute();
  return { ...ended, invitations };
}

async function voidInvitations(transaction: StoreTransaction, now: number, by: By): Promise<number> {
  const voided = await transaction
    .updateTable('invitations')
    .set({ revoked_at: now })
    .where(isOpen(now))
    .returning('email')
    .execute();
  await auditAll(
    transaction,
    now,
    voided.map(({ email }) => ({
      ...by,
      event: 'invitation-revoked' as const,
      subject: email,
      reason: 'database-restored',
    })),
  );
  return voided.length;
}
