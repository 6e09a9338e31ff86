import { base64url, type JWTPayload } from 'jose';
import type { SigningKey } from './signing-key.ts';

/**
 * Signs a JWT (RFC 7519, section 7.1) in JWS's compact form (RFC 7515, section 7.1). We do not sign with jose, because it needs the
 * private key in this process, and ours may be elsewhere (KMS).
 *
 * @param typ what the token is for, so that no other verifier takes it (RFC 8725, section 3.11)
 */
export async function signJwt(key: SigningKey, claims: JWTPayload, typ = 'JWT'): Promise<string> {
  const header = { alg: key.publicJwk.alg, kid: key.kid, typ };
  const signed = [header, claims].map((part) => base64url.encode(JSON.stringify(part))).join('.');
  return `${signed}.${base64url.encode(await key.sign(Buffer.from(signed)))}`;
}
