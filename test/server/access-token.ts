import { randomUUID } from 'node:crypto';
import { base64url, calculateJwkThumbprint } from 'jose';
import { apiAudience, CLIENT_ID } from '../../server/config/audiences.ts';
import type { Context } from '../../server/context.ts';
import type { KeyPair } from './cli-client.ts';

/** An access token for a session, as the token endpoint issues it (RFC 9068, section 2), bound to a key for DPoP. */
export async function accessToken(
  { origin, context }: { origin: string; context: Context },
  { email, sessionId }: { email: string; sessionId: string },
  key: KeyPair,
): Promise<string> {
  const signingKey = context.keys.current();
  const seconds = Math.floor(context.now() / 1000);
  const header = { alg: 'ES256', kid: signingKey.kid, typ: 'at+jwt' };
  const claims = {
    iss: origin,
    aud: apiAudience(origin),
    sub: email,
    sid: sessionId,
    client_id: CLIENT_ID,
    jti: randomUUID(),
    iat: seconds,
    exp: seconds + 600,
    cnf: { jkt: await calculateJwkThumbprint(key.publicJwk) },
  };
  const signed = [header, claims].map((part) => base64url.encode(JSON.stringify(part))).join('.');
  return `${signed}.${base64url.encode(await signingKey.sign(Buffer.from(signed)))}`;
}
