import type { AuditEvent } from '../audit/audit.ts';
import { findRow, type Row } from '../audit/rows.ts';
import type { Link } from '../audit/verify.ts';
import { readSnapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';

/** What a restored database takes back to the worse: who is in again, and who is out. */
const TAKEN_BACK: readonly AuditEvent[] = [
  'enrolled',
  'key-removed',
  'reported-not-me',
  'person-disabled',
  'person-enabled',
  'person-removed',
  'person-promoted',
  'person-demoted',
  'person-end-set',
  'invited',
  'invitation-revoked',
  'signing-key-current',
  'master-key-changed',
];

/** How many rows are told at most. */
const MOST = 1_000;

/** What a database has that a backup of it lacks. */
export interface Lost {
  /** How many audit rows. */
  rows: number;
  /** Those that tell what a restore takes back, the oldest first, and not more than 1,000. */
  takenBack: Row[];
}

/**
 * What happened in a database after a backup of it was made.
 *
 * @param end the end of the backup's audit trail
 * @returns undefined unless the database goes on where the backup ends
 */
export function lostSince(store: Store, end: Link): Promise<Lost | undefined> {
  return readSnapshot(store, async (snapshot) => {
    const head = await snapshot.selectFrom('audit_head').selectAll().where('id', '=', 1).executeTakeFirstOrThrow();
    const goesOn =
      (end.id === head.base_id && end.hash === head.base_hash) ||
      (end.id > head.base_id && (await findRow(snapshot, end.id))?.hash === end.hash);
    if (!goesOn) return undefined;
    const takenBack = await snapshot
      .selectFrom('audit')
      .selectAll()
      .where('id', '>', end.id)
      .where('event', 'in', TAKEN_BACK)
      .orderBy('id')
      .limit(MOST)
      .execute();
    return { rows: head.last_id - end.id, takenBack };
  });
}
