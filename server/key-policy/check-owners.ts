import { Problem } from '../problem/problem.ts';
import type { Store } from '../store/store.ts';
import type { KeyPolicy } from './judge.ts';
import { findLockouts } from './lockouts.ts';

/**
 * Makes sure that a policy leaves an owner who can sign in, if there is one now.
 *
 * @param now milliseconds since the epoch
 * @throws Problem `policy-refused`, which names them
 */
export async function checkOwners(store: Store, policy: KeyPolicy, now: number): Promise<void> {
  const { people, affected } = await findLockouts(store, policy, now, 'owner');
  const lockedOut = affected.filter(({ left }) => left === 0);
  if (people === 0 || lockedOut.length < people) return;
  const named = lockedOut.map(({ email, refused }) => {
    const reasons = [...new Set(refused.map(({ refusal }) => refusal.kind))];
    return `${email} (${reasons.join(', ')})`;
  });
  throw new Problem({
    kind: 'policy-refused',
    what: `The settings for keys lock out every owner who has a key: ${named.join(', ')}.`,
    why: 'Nobody could administer the server any more.',
    fix: 'See whom the settings lock out with vouch-server keys policy test. Change them, or let an owner enrol a key that counts first.',
  });
}
