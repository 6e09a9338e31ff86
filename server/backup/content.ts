import { type Verdict, verifyTrail } from '../audit/verify.ts';
import { readSnapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';

/** What a database holds, in one state of it. Times are milliseconds since the epoch. */
export interface Content {
  /** Undefined in a database that no server has used yet. */
  issuer: string | undefined;
  /** In a backup, the moment whose state it holds; null when no `vouch-server backup` has made it. */
  backedUpAt: number | null;
  /** When its latest audit row was written; null when it has none. */
  lastRowAt: number | null;
  people: number;
  /** Keys that can sign somebody in. */
  keys: number;
  trail: Verdict;
}

/** Counts what a database holds, and follows its whole audit trail. */
export function readContent(store: Store): Promise<Content> {
  return readSnapshot(store, async (snapshot) => {
    const server = await snapshot.selectFrom('server').selectAll().where('id', '=', 1).executeTakeFirst();
    const trail = await verifyTrail(snapshot);
    const last = await snapshot.selectFrom('audit').select('at').orderBy('id', 'desc').limit(1).executeTakeFirst();
    const all = (table: 'people' | 'keys') =>
      snapshot.selectFrom(table).select((is) => is.fn.countAll<number>().as('count'));
    const people = await all('people').executeTakeFirstOrThrow();
    const keys = await all('keys').where('removed_at', 'is', null).executeTakeFirstOrThrow();
    return {
      issuer: server?.issuer,
      backedUpAt: server?.backed_up_at ?? null,
      lastRowAt: last?.at ?? null,
      people: Number(people.count),
      keys: Number(keys.count),
      trail,
    };
  });
}
