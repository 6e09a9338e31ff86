import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { AwsError } from './aws-error.ts';

const timeout = 5_000;
const maxBytes = 256 * 1024;

/** STS's exact message, with its two spaces. */
const noKey = () =>
  new AwsError(
    'InvalidIdentityToken',
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
  );

/**
 * Issuers' published keys, found through discovery and `jwks_uri`. They are kept, and fetched again when a token names an unknown
 * key (the issuer may have rotated).
 * https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
 */
export class IssuerKeys {
  readonly #kept = new Map<string, JWTVerifyGetKey>();

  /** A key getter for jose. The caller has checked that the issuer is one of the account's providers. */
  forIssuer(issuer: string): JWTVerifyGetKey {
    return async (header, token) => {
      const kept = this.#kept.get(issuer);
      if (kept !== undefined) {
        try {
          return await kept(header, token);
        } catch (error) {
          if (!(error instanceof errors.JWKSNoMatchingKey)) throw noKey();
        }
      }
      const keys = createLocalJWKSet(await fetchKeys(issuer));
      this.#kept.set(issuer, keys);
      try {
        return await keys(header, token);
      } catch {
        throw noKey();
      }
    };
  }
}

async function fetchKeys(issuer: string): Promise<JSONWebKeySet> {
  const discovery = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  // The document must contain exactly the issuer's URL: OpenID Connect Discovery 1.0, section 4.3.
  if (discovery.issuer !== issuer) throw noKey();
  // STS refuses a document without these, though it uses only one of them.
  for (const member of [
    'response_types_supported',
    'subject_types_supported',
    'id_token_signing_alg_values_supported',
  ]) {
    if (!Array.isArray(discovery[member])) throw noKey();
  }
  const uri = discovery.jwks_uri;
  if (typeof uri !== 'string' || !URL.canParse(uri)) throw noKey();
  // Over plain HTTP anybody could change the keys, except on this machine.
  const url = new URL(uri);
  if (url.protocol !== 'https:' && !['localhost', '127.0.0.1'].includes(url.hostname)) throw noKey();
  const keys = await fetchJson(uri);
  if (!Array.isArray(keys.keys)) throw noKey();
  return keys as unknown as JSONWebKeySet;
}

async function fetchJson(url: string): Promise<Record<string, unknown>> {
  let body: string;
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeout) });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > maxBytes) throw new Error(`${url} answered too much`);
      chunks.push(chunk);
    }
    body = Buffer.concat(chunks).toString('utf8');
  } catch {
    throw new AwsError('IDPCommunicationError', 'Error communicating with the identity provider');
  }
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  } catch {}
  throw noKey();
}
