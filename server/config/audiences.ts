/** The one OAuth client. It is public and native (RFC 8252), so only PKCE and DPoP prove it. */
export const CLIENT_ID = 'vouch-cli';

/** The audience of access tokens: our API (RFC 8707). */
export function apiAudience(issuer: string): string {
  return `${issuer}/api`;
}
