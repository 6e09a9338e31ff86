import { isOpen } from '../people/open-invitations.ts';
import type { Store } from '../store/store.ts';
import { hashCode } from './code.ts';

/** Finds the open invitation that a code belongs to. */
export async function findOpenInvitation(store: Store, code: string, now: number) {
  return store
    .selectFrom('invitations')
    .selectAll()
    .where('code_hash', '=', hashCode(code))
    .where(isOpen(now))
    .executeTakeFirst();
}

/** Uses an invitation up, in one atomic statement: of two attempts, one succeeds. */
export async function useInvitation(store: Store, id: string, now: number) {
  return store
    .updateTable('invitations')
    .set({ used_at: now })
    .where('id', '=', id)
    .where(isOpen(now))
    .returningAll()
    .executeTakeFirst();
}
