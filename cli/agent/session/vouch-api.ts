import type { Agent as HttpAgent } from 'node:http';
import { generateProof, type KeyPair } from 'dpop';
import { decodeJwt } from 'jose';
import { clockSkew } from '../../network/clock-skew.ts';
import { type HttpAnswer, sendRequest } from '../../network/http-request.ts';
import { isConfidential } from '../../network/loopback-http.ts';
import { Outage, readRetryAfter } from '../../network/outage.ts';
import { isLastingFailure, networkFailure, networkFix, networkReason, restart } from '../../network/reason.ts';
import { redact } from '../../network/redact.ts';
import type { NetworkFailure, ProblemDetails } from '../../problem/details.ts';
import { serverKind } from '../../problem/kinds.ts';
import { Problem } from '../../problem/problem.ts';
import { signInNeeded } from '../../problem/sign-in-needed.ts';
import { printable } from '../../text/printable.ts';
import type { NewSession } from '../protocol.ts';
import { Secret } from './secret.ts';

/** More than any answer of the server's, in bytes. */
const longestAnswer = 64 * 1024;

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

/**
 * Asks the server for an ID token that AWS takes for one role (`POST /api/aws/token`).
 *
 * @param signal when to give up
 * @throws Problem `session-over` (exit code 3) when the server no longer takes the session, `clock-skew` and
 *   `role-refused` (5); `server-unreachable` (4), which is an Outage unless it cannot pass by itself
 */
export async function requestAwsToken(access: Access, role: string, signal: AbortSignal): Promise<string> {
  const answer = await request(access, 'POST', '/api/aws/token', JSON.stringify({ role }), signal);
  const { token } = readJson(answer);
  if (answer.status === 200 && typeof token === 'string' && token !== '') return token;
  throw outage(access, `It answered with status ${answer.status}, which is no answer to the question.`);
}

/**
 * What an ID token says, its signature unchecked: that is for AWS, and we have it from the server itself.
 *
 * @throws Problem `server-unreachable` when it is no token
 */
export function readClaims(access: Access, token: string): Record<string, unknown> {
  try {
    return decodeJwt(token);
  } catch {
    throw outage(access, 'It answered with something that is no token.');
  }
}

/**
 * Revokes the session at the server (`DELETE /api/session`).
 *
 * @param signal when to give up
 * @throws Problem as requestAwsToken
 */
export async function revokeSession(access: Access, signal: AbortSignal): Promise<void> {
  await request(access, 'DELETE', '/api/session', undefined, signal);
}

async function request(
  access: Access,
  method: string,
  path: string,
  body: string | undefined,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const url = new URL(`${access.issuer.replace(/\/$/, '')}${path}`);
  let answer: HttpAnswer;
  try {
    answer = await send(access, url, { method, body, signal });
    // The server may ask for a nonce of its own in the proof, which came along (RFC 9449, section 8).
    if (wantsNonce(answer)) {
      answer = await send(access, url, { method, body, signal });
    }
  } catch (error) {
    throw noAnswer(access, error);
  }
  if (answer.status >= 200 && answer.status <= 299) return answer;
  throw refusal(access, answer);
}

function wantsNonce({ status, headers }: HttpAnswer): boolean {
  return status === 401 && /\berror="?use_dpop_nonce\b/i.test(headers['www-authenticate'] ?? '');
}

async function send(
  access: Access,
  url: URL,
  { method, body, signal }: { method: string; body: string | undefined; signal: AbortSignal },
): Promise<HttpAnswer> {
  const accessToken = access.accessToken.reveal();
  const proof = await generateProof(access.proofKey, url.href, method, access.nonce, accessToken);
  const answer = await sendRequest(url, {
    method,
    headers: {
      accept: 'application/json',
      authorization: `DPoP ${accessToken}`,
      dpop: proof,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body,
    agent: access.agent,
    signal,
    longest: longestAnswer,
  });
  const nonce = answer.headers['dpop-nonce'];
  if (typeof nonce === 'string') access.nonce = nonce;
  return answer;
}

function refusal(access: Access, answer: HttpAnswer): Problem {
  const { status, headers } = answer;
  const { type, title, detail } = readJson(answer);
  const [, kind = ''] = /^urn:vouch:problem:([\w-]{1,64})$/.exec(String(type)) ?? [];
  const quote = (text: unknown) =>
    typeof text === 'string' ? printable(redact(text, [access.accessToken.reveal()]), 300) : '';
  const said = quote(title) || `status ${status}`;
  // A proof of the wrong time says nothing of the session, which is still good when the clock is.
  const skew = kind === 'token-refused' ? clockSkew(headers.date, Date.now()) : undefined;
  if (skew) return skew;
  // It was given one: that says nothing of the session.
  if (wantsNonce(answer)) return outage(access, 'It asks for one nonce after the other.');
  const isChallenge = status === 401 && /\bDPoP\b/i.test(headers['www-authenticate'] ?? '');
  if (isChallenge || kind === 'session-over' || kind === 'token-refused') {
    return signInNeeded('session-over', 'Your session is over.', `${hostOf(access)} no longer takes it: ${said}`);
  }
  if (status === 429 || status >= 500) {
    return outage(access, `It answered: ${said}`, { retryAfter: readRetryAfter(headers['retry-after']) });
  }
  // A session must not end, nor a role be refused, by the word of a proxy or of a Wi-Fi's login page.
  if (kind === '') {
    return outage(
      access,
      `Something answered in its place, with status ${status}: a proxy, or your Wi-Fi's login page.`,
      { network: 'proxy' },
    );
  }
  return new Problem({
    ...serverKind(kind),
    what: `${hostOf(access)} refused a token for AWS.`,
    why: `It says: ${said}`,
    fix: quote(detail) || 'Ask who runs the Vouch server.',
    category: 'refused',
  });
}

function noAnswer(access: Access, error: unknown): Problem {
  const why = redact(networkReason(error), [access.accessToken.reveal()]);
  // The error itself is left behind: what it carries is nobody's business.
  const network = networkFailure(error);
  if (!isLastingFailure(error)) return outage(access, why, { network });
  const fix = networkFix(error, 'NODE_EXTRA_CA_CERTS', restart);
  return new Problem({ ...unreachable(access, why), ...(fix ? { fix } : {}), network });
}

function outage(
  access: Access,
  why: string,
  { retryAfter, network }: { retryAfter?: number; network?: NetworkFailure } = {},
): Outage {
  return new Outage({ ...unreachable(access, why), network }, retryAfter);
}

function unreachable(access: Access, why: string): ProblemDetails {
  return {
    kind: 'server-unreachable',
    what: `The Vouch server ${hostOf(access)} could not be reached.`,
    why,
    fix: 'Check your network, then try again.',
  };
}

function hostOf({ issuer }: Access): string {
  return new URL(issuer).host;
}

/** The body as JSON, or an empty object when it is none, or too long to be an answer. */
function readJson({ body }: HttpAnswer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body?.toString('utf8') ?? '');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
