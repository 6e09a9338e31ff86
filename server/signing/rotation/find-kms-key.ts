import type { Logger } from 'pino';
import { Problem } from '../../problem/problem.ts';
import type { Store } from '../../store/store.ts';
import type { DatabaseKeyRing } from '../key-ring.ts';
import type { NewKey } from '../key-rows.ts';
import { AHEAD_MS } from '../lifetimes.ts';
import { bringBack } from './transitions.ts';

/**
 * Looks at the start for the KMS key that the settings name, so that a wrong setting ends the start. A key that is new here comes by the
 * schedule. One that has signed here before is next again. One that is asked for in another region (a replica) is the same key.
 *
 * While KMS does not answer, the server serves with the keys that it knows.
 *
 * @param now milliseconds since the epoch
 * @throws Problem `kms-refused` when the key cannot sign
 */
export async function findKmsKey(
  { store, keys, log }: { store: Store; keys: DatabaseKeyRing; log: Logger },
  now: number,
): Promise<void> {
  let key: NewKey;
  try {
    key = await keys.makeKey();
  } catch (err) {
    if (!(err instanceof Problem && err.kind === 'kms-unreachable')) throw err;
    log.error({ err }, 'AWS KMS does not answer');
    return;
  }
  const { kid, source } = key;
  const row = await store.selectFrom('signing_keys').selectAll().where('kid', '=', kid).executeTakeFirst();
  if (row === undefined) return;
  if (row.revoked_at !== null) {
    // Servers that start after an emergency must serve, with the key that took over.
    log.error({ kid, source }, 'the key that VOUCH_SIGNING_KEY names was revoked: it signs nothing');
    return;
  }
  if (row.source !== source) {
    await store.updateTable('signing_keys').set({ source }).where('kid', '=', kid).execute();
    log.info({ kid, source, before: row.source }, 'a signing key is asked for elsewhere');
  }
  const current = keys.keys.find(({ state }) => state === 'current');
  if (current === undefined || row.state === 'current' || row.state === 'next') return void (await keys.refresh());
  const signsFrom = now + AHEAD_MS;
  const done = await store
    .transaction()
    .execute((transaction) => bringBack(transaction, { current, key, signsFrom }, now, { actor: 'server' }));
  if (done) log.info({ kid, signsFrom: new Date(signsFrom) }, 'a signing key comes back');
  else log.warn({ kid }, 'another signing key is next: the one that the settings name comes back at a later start');
  await keys.refresh();
}
