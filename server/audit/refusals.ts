import { readAddress } from '../network/ip-address.ts';
import type { Kind } from '../problem/kinds.ts';
import { Problem } from '../problem/problem.ts';
import type { Store } from '../store/store.ts';

/** One row counts the refusals of a kind for so many milliseconds. */
const WINDOW_MS = 3600_000;

interface Refusal {
  event: 'sign-in-refused' | 'enrolment-refused';
  problem: Kind;
  /** Whose invitation it was; without one, that of the key counts. */
  email?: string | null;
  /** The key that the request names: written only when it is enrolled here. */
  keyId: string | null;
  ip: string;
}

/**
 * Does something that can be refused: where it ends with a Problem, the refusal is counted, outside of the transaction that it undid.
 *
 * @param what whose and which step it is
 */
export async function countingRefusals<Result>(
  { store, now }: { store: Store; now: () => number },
  what: Omit<Refusal, 'problem'>,
  step: () => Promise<Result>,
): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof Problem) await countRefusal(store, now(), { ...what, problem: error.kind });
    throw error;
  }
}

/**
 * Counts a refusal. Whoever likes can cause one, so it is no row of its own: within an hour all of one kind (event, problem, known
 * key, invited address) are one row, with their number and the last address. In an atomic statement: none is lost. What a request
 * says is written nowhere; the log has the verifier's words.
 */
export async function countRefusal(store: Store, now: number, refusal: Refusal): Promise<void> {
  const { event, problem, ip } = refusal;
  const key = refusal.keyId === null ? undefined : await findKey(store, refusal.keyId);
  const lastIp = readAddress(ip) ?? null;
  await store
    .insertInto('audit_windows')
    .values({
      began_at: now - (now % WINDOW_MS),
      event,
      problem,
      email: refusal.email ?? key?.email ?? '',
      key_id: key?.id ?? '',
      count: 1,
      last_at: now,
      last_ip: lastIp,
    })
    .onConflict((conflict) =>
      conflict.columns(['began_at', 'event', 'problem', 'email', 'key_id']).doUpdateSet((is) => ({
        count: is('audit_windows.count', '+', 1),
        last_at: now,
        last_ip: lastIp,
      })),
    )
    .execute();
}

function findKey(store: Store, id: string) {
  return store
    .selectFrom('keys')
    .innerJoin('people', 'people.id', 'keys.person_id')
    .where('keys.id', '=', id)
    .select(['keys.id', 'people.email'])
    .executeTakeFirst();
}
