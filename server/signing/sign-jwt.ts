import { base64url, type JWTPayload } from 'jose';
import type { SigningKey } from './signing-key.ts';

/**
 * A JWT that the issuer has signed (RFC 7519, section 7.1), in JWS's compact form (RFC 7515, section 7.1). jose signs only with keys
 * that it is given, and this one need not be in this process.
 */
export async function signJwt(key: SigningKey, claims: JWTPayload): Promise<string> {
  const header = { alg: key.publicJwk.alg, kid: key.kid, typ: 'JWT' };
  const signed = [header, claims].map((part) => base64url.encode(JSON.stringify(part))).join('.');
  return `${signed}.${base64url.encode(await key.sign(Buffer.from(signed)))}`;
}
