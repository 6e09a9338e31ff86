import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { publicHalf } from './sealed-jwk.ts';
import { jwsFormOf } from './signature-form.ts';
import type { SigningKey } from './signing-key.ts';

/** A key from the database. This process holds its private half, but no code outside this class has it. */
class StoredKey implements SigningKey {
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly #privateKey: KeyObject;

  constructor(kid: string, publicJwk: JWK, privateKey: KeyObject) {
    this.kid = kid;
    this.publicJwk = publicJwk;
    this.#privateKey = privateKey;
  }

  /** On this thread: to hand it to another one and back takes half as long again. */
  async sign(bytes: Uint8Array): Promise<Uint8Array> {
    return jwsFormOf(sign('sha256', bytes, this.#privateKey));
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
  return new StoredKey(jwk.kid, publicHalf(jwk), createPrivateKey({ key: jwk, format: 'jwk' }));
}
