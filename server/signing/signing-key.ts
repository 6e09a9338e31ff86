import type { JWK } from 'jose';

/** The issuer's key. Where its private half is, in this process or with a service that signs for it, is nobody else's business. */
export interface SigningKey {
  /** Its name in the key set and in what it has signed. */
  readonly kid: string;
  /** What the key set shows (RFC 7517), with `alg` ES256. */
  readonly publicJwk: JWK;
  /** The ES256 signature of these bytes, as JWS has it: R and S, 32 bytes each (RFC 7518, section 3.4). */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}
