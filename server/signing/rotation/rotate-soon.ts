import type { By } from '../../audit/audit.ts';
import { Problem } from '../../problem/problem.ts';
import type { Store } from '../../store/store.ts';
import type { DatabaseKeyRing } from '../key-ring.ts';
import { PUBLISH_MS } from '../lifetimes.ts';
import { bringForward, publishNext } from './transitions.ts';

/** How many keys may be published before another one is refused. Each stays for a day, and verifiers read no key set of any length. */
const MOST_PUBLISHED = 20;

/** What an administrator's rotation led to. */
export interface Rotation {
  /** The name of the next key, and of the one that signs until then. */
  next: string;
  current: string;
  /** When the next key may sign at the earliest, in milliseconds since the epoch. */
  signsFrom: number;
  /** Whether this has made it. */
  made: boolean;
}

/**
 * Makes the next key, or lets the one that is published already sign as soon as no cache is left without it.
 *
 * @param keys the ring, just opened
 * @param now milliseconds since the epoch
 * @throws Problem `signing-key-unchanged` when there is no other key to sign with; `kms-refused` or `kms-unreachable`
 */
export async function rotateSoon(store: Store, keys: DatabaseKeyRing, now: number, by: By): Promise<Rotation> {
  const current = keyOf(keys, 'current');
  const next = keyOf(keys, 'next');
  if (current === undefined) throw unchanged('There is no current key.');
  if (next !== undefined) {
    // A wrong clock may have published it in the future.
    const publishedAt = Math.min(next.published_at, now);
    const signsFrom = Math.min(next.signs_from ?? now, Math.max(now, publishedAt + PUBLISH_MS));
    if (signsFrom !== next.signs_from) {
      const change = { kid: next.kid, signsFrom };
      await store.transaction().execute((transaction) => bringForward(transaction, change, now, by));
    }
    return { next: next.kid, current: current.kid, signsFrom, made: false };
  }
  if (keys.keys.length >= MOST_PUBLISHED) {
    throw unchanged(
      `${MOST_PUBLISHED} keys are published already, and verifiers read no key set of any length.`,
      'Wait: each leaves the key set a day after it signed last.',
    );
  }
  const made = await keys.makeKey();
  if (made.kid === current.kid) {
    throw unchanged('AWS KMS makes no new key by itself. The one that VOUCH_SIGNING_KEY names signs already.');
  }
  const signsFrom = now + PUBLISH_MS;
  const done = await store
    .transaction()
    .execute((transaction) => publishNext(transaction, { current, next: made, signsFrom }, now, by));
  if (!done) throw unchanged('Somebody else has changed the keys at the same moment, or the key has signed before.');
  return { next: made.kid, current: current.kid, signsFrom, made: true };
}

function keyOf({ keys }: DatabaseKeyRing, wanted: 'current' | 'next') {
  return keys.find(({ state }) => state === wanted);
}

const FOR_KMS =
  'For keys in AWS KMS, create another key and name it in VOUCH_SIGNING_KEY. `vouch-server signing-keys list` shows what there is.';

function unchanged(why: string, fix = FOR_KMS): Problem {
  return new Problem({ kind: 'signing-key-unchanged', what: 'Nothing was changed.', why, fix });
}
