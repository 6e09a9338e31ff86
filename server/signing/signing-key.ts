import type { JWK } from 'jose';

/** The issuer's key. Only its implementation knows where the private half is: in this process, or with a service that signs. */
export interface SigningKey {
  /** Its name in the key set and in what it signs. */
  readonly kid: string;
  /** The public key for the key set (RFC 7517), with `alg` ES256. */
  readonly publicJwk: JWK;
  /** Returns the ES256 signature in JWS's form: R and S, 32 bytes each (RFC 7518, section 3.4). */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}
