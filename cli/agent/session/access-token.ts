import type { Agent as HttpAgent } from 'node:http';
import type { KeyPair } from 'dpop';
import { isConfidential } from '../../network/loopback-http.ts';
import type { NewSession } from '../protocol/messages.ts';
import { Secret } from './secret.ts';

/**
 * A session's access to the server. Every request carries the token, and a proof by the key that the token is bound to (RFC
 * 9449).
 */
export interface Access {
  issuer: string;
  accessToken: Secret;
  proofKey: KeyPair;
  /** The last nonce that the server wanted in a proof (RFC 9449, section 8). */
  nonce?: string | undefined;
  /** Carries the requests; by default Node's global agent. */
  agent?: HttpAgent | undefined;
}

/**
 * Takes over a new session's token and proof key. The private key cannot be exported any more.
 *
 * @throws DOMException when the key is not a private EC P-256 JWK
 */
export async function importAccess(session: NewSession): Promise<Access> {
  const { kty, crv, x, y, d } = session.dpopKey;
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey('jwk', { kty, crv, x, y, d } as JsonWebKey, algorithm, false, ['sign']),
    crypto.subtle.importKey('jwk', { kty, crv, x, y } as JsonWebKey, algorithm, true, ['verify']),
  ]);
  return {
    issuer: session.issuer,
    accessToken: new Secret(session.accessToken),
    proofKey: { privateKey, publicKey },
  };
}

/** Whether a URL may be an issuer's: https, or http on this machine, for trying a server out. */
export function isIssuer(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  if (url.username || url.password || url.search || url.hash) return false;
  return isConfidential(url);
}
