import type { JWK } from 'jose';

/** A key that verifiers must know. */
export interface PublishedKey {
  kid: string;
  state: 'next' | 'current' | 'previous';
  /** Nothing of it is secret. */
  publicJwk: JWK;
}

/** One of the two documents that AWS reads, as a file. */
export interface PublicDocument {
  /** Below AWS's issuer, and below the folder that is published. */
  path: string;
  text: string;
}

/** OpenID Connect Discovery 1.0, section 4: it is always there. */
const DISCOVERY_PATH = '.well-known/openid-configuration';

/** Beside the other, so that one folder holds both, and with an ending by which static hosts know that it is JSON. */
export const JWKS_PATH = '.well-known/jwks.json';

/** Where the server itself has its keys (oidc-provider). */
const OWN_JWKS_PATH = 'jwks';

/** The issuers of the settings. */
export interface Issuers {
  issuer: string;
  awsIssuer: string;
}

/** Whether AWS reads from a static host, and not from this server. */
export function arePublishedElsewhere({ issuer, awsIssuer }: Issuers): boolean {
  return awsIssuer !== issuer;
}

/** Where AWS reads discovery. */
export function discoveryUrl({ awsIssuer }: Issuers): string {
  return `${awsIssuer}/${DISCOVERY_PATH}`;
}

/** Where AWS reads the keys. */
export function jwksUrl(issuers: Issuers): string {
  return `${issuers.awsIssuer}/${arePublishedElsewhere(issuers) ? JWKS_PATH : OWN_JWKS_PATH}`;
}

/**
 * Makes the two documents for a static host. Discovery has the members that AWS asks for and no endpoints, because nobody signs in there
 * (IAM user guide, "Create an OpenID Connect (OIDC) identity provider in IAM", prerequisites).
 *
 * @param keys next, current and previous
 */
export function publicDocuments(issuers: Issuers, keys: readonly PublishedKey[]): PublicDocument[] {
  const discovery = {
    issuer: issuers.awsIssuer,
    jwks_uri: jwksUrl(issuers),
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    scopes_supported: ['openid'],
    claims_supported: ['aud', 'exp', 'iat', 'iss', 'jti', 'sub'],
  };
  return [
    { path: JWKS_PATH, text: asText({ keys: keys.map(({ publicJwk }) => withKnownMembers(publicJwk)) }) },
    { path: DISCOVERY_PATH, text: asText(discovery) },
  ];
}

/** Only the members of a public P-256 key (RFC 7518, section 6.2.1): whatever else is there stays here. */
function withKnownMembers({ kty, crv, x, y, kid, alg, use }: JWK): JWK {
  return { kty, crv, x, y, kid, alg, use } as JWK;
}

const asText = (document: unknown) => `${JSON.stringify(document, null, 2)}\n`;
