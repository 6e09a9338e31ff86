import { compactDecrypt, type JWK } from 'jose';
import { deriveKey } from '../../server/secrets.ts';
import type { Store } from '../../server/store/store.ts';

/** The private half of the issuer's key. It takes both the database and the master key to get it. */
export async function privateJwk(store: Store, master: Buffer): Promise<JWK> {
  const { jwe } = await store.selectFrom('signing_keys').select('jwe').executeTakeFirstOrThrow();
  const { plaintext } = await compactDecrypt(jwe, deriveKey(master, 'signing keys'));
  return JSON.parse(Buffer.from(plaintext).toString()) as JWK;
}
