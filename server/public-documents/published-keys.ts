import { publishedRows } from '../signing/key-rows.ts';
import { publicHalf, unsealJwk } from '../signing/sealed-jwk.ts';
import type { Store } from '../store/store.ts';
import type { PublishedKey } from './documents.ts';

/**
 * The keys that verifiers must know, from the database. The master key proves that the server has put them there: whoever can only write to
 * the database gets no key of theirs published.
 *
 * @param master the master key, 32 bytes
 * @throws Problem `signing-key-locked` when a key was not stored with this master key
 */
export async function readPublishedKeys(store: Store, master: Buffer): Promise<PublishedKey[]> {
  const rows = await publishedRows(store);
  return Promise.all(
    rows.map(async ({ kid, state, jwe }) => ({
      kid,
      state: state as PublishedKey['state'],
      publicJwk: publicHalf(await unsealJwk(kid, jwe, master)),
    })),
  );
}
