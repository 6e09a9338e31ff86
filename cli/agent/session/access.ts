import type { Agent as HttpAgent } from 'node:http';
import type { KeyPair } from 'dpop';
import { isConfidential } from '../../network/loopback-http.ts';
import type { NewSession } from '../protocol.ts';
import { Secret } from './secret.ts';

/** What goes along with every request of one session: the token, and the key that proves that it is ours (RFC 9449). */
export interface Access {
  issuer: string;
  accessToken: Secret;
  proofKey: KeyPair;
  /** The last one that the server asked to have in the proof (RFC 9449, section 8). */
  nonce?: string | undefined;
  /** What requests go through, unless it is Node's global one. */
  agent?: HttpAgent | undefined;
}

/**
 * Takes a new session's token and proof key; the private key becomes one that cannot be exported again.
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

/** Whether a URL may be an issuer's: https, or http on this very machine for a server that is being tried out. */
export function isIssuer(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  if (url.username || url.password || url.search || url.hash) return false;
  return isConfidential(url);
}
