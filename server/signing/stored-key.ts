import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { publicHalf } from './sealed-jwk.ts';
import type { SigningKey } from './signing-key.ts';

/** A key from the database. This process holds its private half, but no code can read it again. */
class StoredKey implements SigningKey {
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly #privateKey: CryptoKey;

  constructor(kid: string, publicJwk: JWK, privateKey: CryptoKey) {
    this.kid = kid;
    this.publicJwk = publicJwk;
    this.#privateKey = privateKey;
  }

  async sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    return new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, this.#privateKey, bytes));
  }
}

/** Makes a key for the database. Its name is its thumbprint (RFC 7638). */
export async function makeStoredKey(): Promise<JWK & { kid: string }> {
  for (;;) {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(privateKey);
    const kid = await calculateJwkThumbprint(jwk);
    // On a command line, a name with a hyphen in front is an option.
    if (!kid.startsWith('-')) return { ...jwk, kid, alg: 'ES256', use: 'sig' };
  }
}

/** @param jwk a key with its private half */
export async function openStoredKey(jwk: JWK & { kid: string }): Promise<SigningKey> {
  return new StoredKey(jwk.kid, publicHalf(jwk), (await importJWK(jwk, 'ES256')) as CryptoKey);
}
