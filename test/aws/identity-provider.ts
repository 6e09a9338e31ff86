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

/** For how long keys are kept whose issuer does not say it, in seconds. */
const usualAge = 300;

/** Published keys, and until when they are kept, by the monotonic clock in milliseconds. */
interface Kept {
  keys: JWTVerifyGetKey;
  until: number;
}

/**
 * Issuers' published keys, found through discovery and `jwks_uri`. They are kept for as long as the key set's `Cache-Control` allows (RFC
 * 9111, section 5.2.2), and fetched again when a token names an unknown key: the issuer may have rotated. AWS does not document its own
 * cache; its API Gateway does both.
 * https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-jwt-authorizer-keys.html
 */
export class IssuerKeys {
  readonly #kept = new Map<string, Kept>();
  readonly #elapsed: () => number;

  /** @param elapsed milliseconds of a monotonic clock */
  constructor(elapsed: () => number = () => performance.now()) {
    this.#elapsed = elapsed;
  }

  /** A key getter for jose. The caller has checked that the issuer is one of the account's providers. */
  forIssuer(issuer: string): JWTVerifyGetKey {
    return async (header, token) => {
      const kept = this.#kept.get(issuer);
      if (kept !== undefined && this.#elapsed() < kept.until) {
        try {
          return await kept.keys(header, token);
        } catch (error) {
          if (!(error instanceof errors.JWKSNoMatchingKey)) throw noKey();
        }
      }
      const { jwks, maxAge } = await fetchKeys(issuer);
      const keys = createLocalJWKSet(jwks);
      this.#kept.set(issuer, { keys, until: this.#elapsed() + maxAge * 1000 });
      try {
        return await keys(header, token);
      } catch {
        throw noKey();
      }
    };
  }
}

/** @returns the key set, and for how many seconds it may be kept */
async function fetchKeys(issuer: string): Promise<{ jwks: JSONWebKeySet; maxAge: number }> {
  const { json: discovery } = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
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
  const { json: keys, cacheControl } = await fetchJson(uri);
  if (!Array.isArray(keys.keys)) throw noKey();
  return { jwks: keys as unknown as JSONWebKeySet, maxAge: ageOf(cacheControl) };
}

function ageOf(cacheControl: string): number {
  if (/\bno-(store|cache)\b/i.test(cacheControl)) return 0;
  return Number(/\bmax-age=(\d{1,9})\b/i.exec(cacheControl)?.[1] ?? usualAge);
}

async function fetchJson(url: string): Promise<{ json: Record<string, unknown>; cacheControl: string }> {
  let body: string;
  let cacheControl: string;
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
    cacheControl = response.headers.get('cache-control') ?? '';
  } catch {
    throw new AwsError('IDPCommunicationError', 'Error communicating with the identity provider');
  }
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) {
      return { json: json as Record<string, unknown>, cacheControl };
    }
  } catch {}
  throw noKey();
}
