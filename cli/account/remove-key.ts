import { removeKey } from '../agent/client/account-requests.ts';
import type { AccountKey, KeyRemoval } from '../agent/protocol/account.ts';
import { Problem } from '../problem/problem.ts';
import { forgetHere } from './end-sessions.ts';

/**
 * Removes a key. If the server wants a touch first, and somebody is there, they sign in.
 *
 * @param touch makes the person sign in; undefined if nobody is there
 * @throws Problem `touch-needed`, `last-key`, `not-found`; what `touch` throws
 */
export async function removeAfterTouch(
  { id }: Pick<AccountKey, 'id'>,
  touch: (() => Promise<unknown>) | undefined,
  env: NodeJS.ProcessEnv,
): Promise<KeyRemoval> {
  let removal: KeyRemoval;
  try {
    removal = await removeKey(id, env);
  } catch (error) {
    if (!(error instanceof Problem && error.kind === 'touch-needed') || touch === undefined) throw error;
    await touch();
    removal = await removeKey(id, env);
  }
  if (removal.signedOut) await forgetHere(env);
  return removal;
}

/**
 * The server refuses to remove the last key; this says so before anybody is asked whether they are sure.
 *
 * @throws Problem `last-key`
 */
export function checkNotLast(keys: readonly AccountKey[]): void {
  if (keys.length > 1) return;
  throw new Problem({
    kind: 'last-key',
    what: 'This is your only key, and without it you could not sign in any more.',
    fix: 'Add another one first with `vouch keys add`. If you have lost it, ask your administrator to replace it.',
  });
}
