import { compactVerify, errors } from 'jose';
import { type Account, issuerUrl, withoutScheme } from './accounts.ts';
import { AwsError } from './aws-error.ts';
import type { IssuerKeys } from './identity-provider.ts';

/** The contents of a verified token. */
export interface WebIdentity {
  issuer: string;
  subject: string;
  /** `azp` if present, otherwise `aud`. */
  audience: string;
  /** The token's `aud`, if `azp` replaced it as the audience. */
  originalAudience: string | undefined;
  amr: string[] | undefined;
  /** The roles that the issuer names; undefined if it names none. */
  roles: string[] | undefined;
  tags: Record<string, string>;
  transitiveTagKeys: string[];
  sourceIdentity: string | undefined;
}

const invalid = (why: string) => new AwsError('InvalidIdentityToken', why);
const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];
/**
 * "IAM provides a five-minute window beyond the expiration time specified in the JWT to account for clock skew."
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
 */
const maxClockSkew = 5 * 60;
const maxAge = 24 * 60 * 60;

/**
 * Verifies an ID token: issuer, signature, times, subject and audience, then AWS's own claims.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export async function verifyWebIdentity(options: {
  token: string;
  account: Account | undefined;
  roleArn: string;
  keys: IssuerKeys;
  now: Date;
}): Promise<WebIdentity> {
  const { token, account, roleArn, keys, now } = options;
  const { header, claims } = decode(token);

  // Contact an issuer only if it is one of the account's providers.
  const issuer = claims.iss;
  if (issuer === undefined) throw invalid('Missing a required claim: iss');
  if (typeof issuer !== 'string' || issuerUrl(issuer) === undefined) throw invalid('The issuer is not an https URL.');
  const provider = account?.provider(issuer);
  if (provider === undefined) throw invalid(`No OpenIDConnect provider found in your account for ${issuer}`);

  // One of the issuer's published keys must have signed. Symmetric algorithms and "none" do not prove an issuer.
  if (!algorithms.includes(String(header.alg))) throw invalid(`Invalid algorithm: ${header.alg}`);
  try {
    await compactVerify(token, keys.forIssuer(issuer), { algorithms });
  } catch (error) {
    if (error instanceof AwsError) throw error;
    if (error instanceof errors.JOSEError) throw invalid('The ID Token provided is not a valid JWT. (signature)');
    throw error;
  }

  const seconds = Math.floor(now.getTime() / 1000);
  const expires = time(claims, 'exp');
  const issued = time(claims, 'iat');
  if (expires + maxClockSkew <= seconds) {
    throw new AwsError(
      'ExpiredTokenException',
      `Token expired: current date/time ${seconds} must be before the expiration date/time ${expires}`,
    );
  }
  if (issued > seconds + maxClockSkew) throw invalid('The ID Token provided was issued in the future.');
  if (seconds - issued > maxAge) {
    throw new AwsError('ExpiredTokenException', `Token too old: ${seconds - issued}`);
  }
  if (claims.nbf !== undefined && time(claims, 'nbf') > seconds + maxClockSkew) {
    throw invalid('The ID Token provided is not valid yet.');
  }

  const subject = claims.sub;
  if (typeof subject !== 'string' || subject === '') throw invalid('Missing a required claim: sub');
  if (subject.length > 255) throw invalid('The subject is longer than 255 characters.');

  // The audience must be one of the provider's client ids. If there is an `azp`, AWS takes it for the audience instead of `aud`.
  const aud = list(claims.aud);
  if (aud === undefined || aud.length === 0) throw invalid('Missing a required claim: aud');
  const azp = claims.azp;
  if (azp !== undefined && typeof azp !== 'string') throw invalid('Incorrect token audience');
  const audience = azp ?? aud[0] ?? '';
  if (!provider.clientIds.includes(audience)) throw invalid('Incorrect token audience');

  // A token that names roles is valid only for these.
  const roles = claims['https://aws.amazon.com/roles'];
  if (roles !== undefined && !stringArray(roles)) throw invalid('The roles claim is not a list of role ARNs.');
  if (roles !== undefined && !roles.includes(roleArn)) {
    throw invalid('The requested role is not in the list of roles in the ID Token.');
  }

  return {
    issuer,
    subject,
    audience,
    originalAudience: azp === undefined ? undefined : aud[0],
    amr: list(claims.amr),
    roles,
    ...sessionTags(claims),
    sourceIdentity: sourceIdentity(claims['https://aws.amazon.com/source_identity']),
  };
}

/** The condition keys from a provider's token, such as `auth.example.com:sub`. */
export function providerKeys(identity: WebIdentity): Record<string, string | string[]> {
  const prefix = withoutScheme(identity.issuer);
  return {
    [`${prefix}:sub`]: identity.subject,
    [`${prefix}:aud`]: identity.audience,
    ...(identity.originalAudience !== undefined && { [`${prefix}:oaud`]: identity.originalAudience }),
    ...(identity.amr !== undefined && { [`${prefix}:amr`]: identity.amr }),
  };
}

function decode(token: string): { header: Record<string, unknown>; claims: Record<string, unknown> } {
  const parts = token.split('.');
  const object = (part: string | undefined) => {
    if (part === undefined || !/^[\w-]+$/.test(part)) return undefined;
    try {
      const json: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
      if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
    } catch {}
    return undefined;
  };
  const header = object(parts[0]);
  const claims = object(parts[1]);
  if (parts.length !== 3 || header === undefined || claims === undefined) {
    throw invalid('The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)');
  }
  return { header, claims };
}

function time(claims: Record<string, unknown>, name: string): number {
  const value = claims[name];
  if (value === undefined) throw invalid(`Missing a required claim: ${name}`);
  // "Timestamps in the token must be formatted as either an integer or a long integer."
  if (!Number.isSafeInteger(value)) throw invalid(`The claim ${name} is not an integer.`);
  return value as number;
}

const stringArray = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const list = (value: unknown): string[] | undefined =>
  typeof value === 'string' ? [value] : stringArray(value) ? value : undefined;

/**
 * The session tags, in nested form, within the limits of all session tags.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_adding-assume-role-idp
 */
function sessionTags(claims: Record<string, unknown>): { tags: Record<string, string>; transitiveTagKeys: string[] } {
  if (Object.keys(claims).some((name) => name.startsWith('https://aws.amazon.com/tags/'))) {
    throw invalid('The flattened form of session tags is not supported by the local AWS.');
  }
  const claim = claims['https://aws.amazon.com/tags'];
  if (claim === undefined) return { tags: {}, transitiveTagKeys: [] };
  const { principal_tags: principalTags = {}, transitive_tag_keys: transitiveTagKeys = [] } = record(claim);
  const tags: Record<string, string> = {};
  const seen = new Set<string>();
  for (const [key, values] of Object.entries(record(principalTags))) {
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u.test(key) || /^aws:/i.test(key)) {
      throw invalid(`"${key}" is not the key of a session tag.`);
    }
    // Keys ignore case.
    if (seen.has(key.toLowerCase())) throw invalid(`The session tag "${key}" is there twice.`);
    seen.add(key.toLowerCase());
    const value = stringArray(values) && values.length === 1 ? values[0] : undefined;
    if (value === undefined || !/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u.test(value)) {
      throw invalid(`The session tag "${key}" does not have one value of at most 256 letters, digits and _.:/=+-@`);
    }
    tags[key] = value;
  }
  if (seen.size > 50) throw invalid('There are more than 50 session tags.');
  if (!stringArray(transitiveTagKeys) || !transitiveTagKeys.every((key) => seen.has(key.toLowerCase()))) {
    throw invalid('A transitive tag key names no session tag.');
  }
  return { tags, transitiveTagKeys };
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('The session tags are not {"principal_tags": {…}, "transitive_tag_keys": […]}.');
  }
  return value as Record<string, unknown>;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html */
function sourceIdentity(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^[\w+=,.@-]{2,64}$/.test(value)) {
    throw invalid('The source identity is not 2 to 64 characters of [\\w+=,.@-].');
  }
  return value;
}
