import { randomUUID } from 'node:crypto';
import type { Context } from '../context.ts';
import type { ActiveSession } from '../sessions/sessions.ts';
import { signJwt } from '../signing/sign-jwt.ts';
import { TOKEN_SECONDS } from './lifetimes.ts';

/**
 * Makes an ID token that AWS STS accepts for one role only.
 *
 * The claims under https://aws.amazon.com are AWS's (IAM user guide, "Pass session tags using
 * AssumeRoleWithWebIdentity"). There is never an `azp`: AWS would take it for the audience.
 *
 * @param role the role's ARN, checked
 * @param moreTags tags about the session's key, and about the use
 * @param now milliseconds since the epoch, before the session's end
 * @returns the token and its end in milliseconds since the epoch, never after the session's
 */
export async function idTokenForRole(
  context: Context,
  session: ActiveSession,
  role: string,
  now: number,
  moreTags: Record<string, string> = {},
): Promise<{ token: string; expiresAt: number; jti: string }> {
  const issuedAt = Math.floor(now / 1000);
  const expiresAt = Math.min(issuedAt + TOKEN_SECONDS, Math.floor(session.expiresAt / 1000));
  const jti = randomUUID();
  const domain = session.email.slice(session.email.indexOf('@') + 1);
  const more = Object.fromEntries(Object.entries(moreTags).map(([name, value]) => [name, [value]]));
  const tags = { 'vouch:Email': [session.email], 'vouch:Domain': [domain], ...more };
  const token = await signJwt(context.keys.current(), {
    iss: context.config.awsIssuer,
    sub: session.email,
    aud: context.config.awsAudience,
    iat: issuedAt,
    exp: expiresAt,
    jti,
    auth_time: Math.floor(session.authTime / 1000),
    amr: ['hwk', 'user', 'mfa'],
    'https://aws.amazon.com/roles': [role],
    'https://aws.amazon.com/tags': { principal_tags: tags, transitive_tag_keys: Object.keys(tags) },
    'https://aws.amazon.com/source_identity': session.email,
  });
  return { token, expiresAt: expiresAt * 1000, jti };
}
