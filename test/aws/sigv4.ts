import { createHash, createHmac } from 'node:crypto';
import { AwsError } from './aws-error.ts';
import { partitionOfRegion } from './hosts.ts';
import { type Session, type Sessions, sameSecret } from './sessions.ts';

/** A request as received. */
export interface SignedRequest {
  method: string;
  /** Path and query. */
  url: string;
  /** By name in lower case, as in node:http. */
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();

/**
 * Signature Version 4 of a string to sign: derive the day's key, then sign.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signature(options: {
  secretAccessKey: string;
  /** `20260101` */
  date: string;
  region: string;
  service: string;
  stringToSign: string;
}): string {
  const { secretAccessKey, date, region, service, stringToSign } = options;
  const day = hmac(`AWS4${secretAccessKey}`, date);
  const key = hmac(hmac(hmac(day, region), service), 'aws4_request');
  return hmac(key, stringToSign).toString('hex');
}

/** The string to sign of a canonical request. The caller formats the date, because CodeCommit's has no Z. */
export const stringToSign = (date: string, scope: string, canonicalRequest: string): string =>
  `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonicalRequest)}`;

/** `20260101T000000Z` as a time; undefined for anything else. */
export function parseBasicDate(text: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) return undefined;
  const date = new Date(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`);
  // Date accepts the 31st of February; we do not.
  return !Number.isNaN(date.getTime()) && basicDate(date) === text ? date : undefined;
}

/** A time as `20260101T000000Z`. */
export const basicDate = (date: Date): string => date.toISOString().replace(/[-:]|\.\d+/g, '');

const maxSkew = 5 * 60_000;

/** The session and the region that a request is signed for. Refuses a wrong signature in AWS's words. */
export function verifySignature(
  request: SignedRequest,
  service: string,
  sessions: Sessions,
  now: Date,
): { session: Session; region: string } {
  const authorization = single(request, 'authorization');
  if (authorization === undefined) {
    throw new AwsError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403);
  }
  const match =
    /^AWS4-HMAC-SHA256 +Credential=([^/,\s]+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request, *SignedHeaders=([a-z0-9;-]+), *Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  const dateText = single(request, 'x-amz-date');
  const date = parseBasicDate(dateText ?? '');
  if (match === null || dateText === undefined || date === undefined) {
    throw new AwsError('IncompleteSignature', 'Authorization header requires Credential, SignedHeaders, Signature.');
  }
  const [, accessKeyId = '', day = '', region = '', scopeService = '', signedHeaders = '', given = ''] = match;

  const session = sessions.find(accessKeyId, single(request, 'x-amz-security-token'));
  // Credentials are valid in one partition only.
  if (session === undefined || partitionOfRegion(region) !== session.account.partition) {
    throw new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid.', 403);
  }
  if (session.expiration <= now) {
    throw new AwsError('ExpiredToken', 'The security token included in the request is expired', 403);
  }

  const mismatch = (why: string) => new AwsError('SignatureDoesNotMatch', why, 403);
  if (scopeService !== service) throw mismatch(`Credential should be scoped to correct service: '${service}'.`);
  if (day !== dateText.slice(0, 8)) throw mismatch('Date in Credential scope does not match YYYYMMDD from ISO-8601.');

  const skew = date.getTime() - now.getTime();
  const five = (ms: number) => basicDate(new Date(now.getTime() + ms));
  if (skew < -maxSkew) {
    throw mismatch(`Signature expired: ${dateText} is now earlier than ${five(-maxSkew)} (${basicDate(now)} - 5 min.)`);
  }
  if (skew > maxSkew) {
    throw mismatch(
      `Signature not yet current: ${dateText} is still later than ${five(maxSkew)} (${basicDate(now)} + 5 min.)`,
    );
  }

  // The host and every `x-amz-` header must be signed.
  const names = signedHeaders.split(';');
  for (const name of ['host', ...Object.keys(request.headers).filter((header) => header.startsWith('x-amz-'))]) {
    if (!names.includes(name)) throw mismatch(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
  }

  const scope = `${day}/${region}/${service}/aws4_request`;
  const expected = signature({
    secretAccessKey: session.secretAccessKey,
    date: day,
    region,
    service,
    stringToSign: stringToSign(dateText, scope, canonicalRequest(request, names)),
  });
  if (!sameSecret(expected, given)) {
    throw mismatch(
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
  }
  return { session, region };
}

function canonicalRequest(request: SignedRequest, signedHeaders: readonly string[]): string {
  const url = new URL(request.url, 'http://localhost');
  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const headers = signedHeaders.map((name) => `${name}:${(single(request, name) ?? '').trim().replace(/ +/g, ' ')}\n`);
  return [
    request.method,
    url.pathname,
    query,
    headers.join(''),
    signedHeaders.join(';'),
    sha256(request.body), // never the hash that the client states
  ].join('\n');
}

/**
 * SigV4's UriEncode: encodes every byte of the text's UTF-8 except unreserved characters, with capital hexadecimal digits.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#create-canonical-request
 */
export const encode = (text: string): string =>
  Array.from(Buffer.from(text, 'utf8'), (byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9._~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');

function single(request: SignedRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}
