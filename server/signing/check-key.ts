import { randomBytes } from 'node:crypto';
import { importJWK } from 'jose';
import type { SigningKey } from './signing-key.ts';

/**
 * Makes sure that a key signs, and that what it publishes verifies that.
 *
 * @throws when it does not sign, or signs with another key
 */
export async function checkSigns(key: SigningKey): Promise<void> {
  const bytes = randomBytes(32);
  const signature = Buffer.from(await key.sign(bytes));
  const publicKey = (await importJWK(key.publicJwk, 'ES256')) as CryptoKey;
  if (await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, publicKey, signature, bytes)) return;
  throw new Error(`the signing key ${key.kid} does not fit what it publishes`);
}
