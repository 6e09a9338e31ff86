/** The one client: public and native (RFC 8252), so it proves itself by PKCE and DPoP alone. */
export const CLIENT_ID = 'vouch-cli';

/** The audience of access tokens: our own API (RFC 8707). */
export function apiAudience(issuer: string): string {
  return `${issuer}/api`;
}
