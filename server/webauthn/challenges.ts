import { hash, randomSecret } from '../secrets.ts';
import { statement } from '../store/statement.ts';
import type { Store } from '../store/store.ts';

/** How long a ceremony may take, in milliseconds; also WebAuthn's `timeout`. */
export const CEREMONY_MS = 5 * 60 * 1000;

/** 'account' begins a web session; 'account-touch' is another touch during it. */
export type Purpose = 'sign-in' | 'confirm-enrolment' | 'enrol' | 'account' | 'account-touch';

interface Names {
  challenge: string;
  purpose: Purpose;
  binding: string;
}

const add = statement((store, { challenge, purpose, binding, ends }: Names & { ends: number }) =>
  store.insertInto('challenges').values({ challenge_hash: challenge, purpose, binding, expires_at: ends }),
);

const use = statement((store, { challenge, purpose, binding, now }: Names & { now: number }) =>
  store
    .deleteFrom('challenges')
    .where('challenge_hash', '=', challenge)
    .where('purpose', '=', purpose)
    .where('binding', '=', binding)
    .where('expires_at', '>', now)
    .returning('challenge_hash'),
);

const find = statement((store, { challenge, purpose, binding, now }: Names & { now: number }) =>
  store
    .selectFrom('challenges')
    .select('challenge_hash')
    .where('challenge_hash', '=', challenge)
    .where('purpose', '=', purpose)
    .where('binding', '=', binding)
    .where('expires_at', '>', now),
);

/**
 * Makes a challenge for one ceremony (WebAuthn, section 13.4.3).
 *
 * @param binding what it is for, and so the browser: an interaction, an enrolment, a web session
 * @returns 256 bits in base64url
 */
export async function issueChallenge(store: Store, now: number, purpose: Purpose, binding: string): Promise<string> {
  const challenge = randomSecret();
  await add(store, { challenge: hash(challenge), purpose, binding, ends: now + CEREMONY_MS });
  return challenge;
}

/** Uses a challenge up, in one atomic statement. False when it is unknown, used, too old, or meant for something else. */
export async function useChallenge(
  store: Store,
  now: number,
  purpose: Purpose,
  binding: string,
  challenge: string,
): Promise<boolean> {
  return (await use(store, { challenge: hash(challenge), purpose, binding, now })).length > 0;
}

/** Whether a challenge could be used now. It stays usable. */
export async function isUsable(
  store: Store,
  now: number,
  purpose: Purpose,
  binding: string,
  challenge: string,
): Promise<boolean> {
  return (await find(store, { challenge: hash(challenge), purpose, binding, now })).length > 0;
}
