import { readAddress } from '../network/ip-address.ts';
import type { Kind } from '../problem/kinds.ts';
import { Problem } from '../problem/problem.ts';
import type { Store } from '../store/store.ts';
import type { RequestSource } from './audit.ts';
import { hourOf, type Window } from './windows.ts';

/**
 * How many windows an hour may have. Further refusals are counted without a person's or a key's name, so that nobody can fill the
 * trail.
 */
const MOST_WINDOWS = 1_000;

interface Refusal {
  event: 'sign-in-refused' | 'enrolment-refused';
  problem: Kind;
  /** The invited person's address; without one, the address of the key's owner is stored. */
  email?: string | null;
  /** The key that the request names; written only if it is enrolled here. */
  keyId: string | null;
  from: RequestSource;
}

/**
 * Runs a step that can be refused. When it throws a Problem, counts the refusal, after the step's own transaction was rolled back.
 *
 * @param what the step, its person and its key
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
 * Counts a refusal. Anybody can cause one, so it gets no row of its own: all refusals of one kind within an hour (same event, problem,
 * known key and invited address) share a window, with their number and the last address. One atomic statement, so that none is lost.
 * Nothing that a request contains is stored; the log has the verifier's words.
 */
export async function countRefusal(store: Store, now: number, refusal: Refusal): Promise<void> {
  const { event, problem, from } = refusal;
  const key = refusal.keyId === null ? undefined : await findEnrolledKey(store, refusal.keyId);
  const lastIp = readAddress(from.ip) ?? null;
  const window = {
    began_at: hourOf(now),
    event,
    problem,
    email: refusal.email ?? key?.email ?? '',
    key_id: key?.id ?? '',
  };
  const names = (await hasRoom(store, window)) ? {} : { email: '', key_id: '' };
  await store
    .insertInto('audit_windows')
    .values({ ...window, ...names, count: 1, last_at: now, last_ip: lastIp })
    .onConflict((conflict) =>
      conflict.columns(['began_at', 'event', 'problem', 'email', 'key_id']).doUpdateSet((is) => ({
        count: is('audit_windows.count', '+', 1),
        last_at: now,
        last_ip: lastIp,
      })),
    )
    .execute();
}

/** Whether a window exists, or may be made. Several requests at once may make a few more. */
async function hasRoom(
  store: Store,
  window: Pick<Window, 'began_at' | 'event' | 'problem' | 'email' | 'key_id'>,
): Promise<boolean> {
  const { count } = await store
    .selectFrom('audit_windows')
    .where('began_at', '=', window.began_at)
    .select((is) => is.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  if (Number(count) < MOST_WINDOWS) return true;
  const same = Object.entries(window) as [keyof typeof window, string | number][];
  const found = await store
    .selectFrom('audit_windows')
    .select('began_at')
    .where((is) => is.and(same.map(([column, value]) => is(column, '=', value))))
    .executeTakeFirst();
  return found !== undefined;
}

function findEnrolledKey(store: Store, id: string) {
  return store
    .selectFrom('keys')
    .innerJoin('people', 'people.id', 'keys.person_id')
    .where('keys.id', '=', id)
    .select(['keys.id', 'people.email'])
    .executeTakeFirst();
}
