import { decodeJwt } from 'jose';
import {
  allowInsecureRequests,
  DPoP,
  type DPoPHandle,
  isDPoPNonceError,
  protectedResourceRequest,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi';
import { clockSkew } from '../clock-skew.ts';
import { isLastingFailure, networkReason } from '../network-reason.ts';
import { Outage, readRetryAfter } from '../outage.ts';
import { Problem, type ProblemDetails, printable } from '../problem.ts';
import { readAtMost } from '../read-at-most.ts';
import { redact } from '../redact.ts';
import type { NewSession } from './protocol.ts';
import { Secret } from './secret.ts';

/** More than any answer of the server's, in bytes. */
const longestAnswer = 64 * 1024;

/** What goes along with every request of one session: the token, and the key that proves that it is ours (RFC 9449). */
export interface Access {
  issuer: string;
  accessToken: Secret;
  dpop: DPoPHandle;
}

/**
 * Makes the DPoP handle of a new session; the private key becomes one that cannot be exported again.
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
    dpop: DPoP({}, { privateKey, publicKey }),
  };
}

/** Whether a URL may be an issuer's: https, or http on this very machine for a server that is being tried out. */
export function isIssuer(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  if (url.username || url.password || url.search || url.hash) return false;
  return url.protocol === 'https:' || isLoopbackHttp(url);
}

function isLoopbackHttp(url: URL): boolean {
  return url.protocol === 'http:' && (url.hostname === 'localhost' || url.hostname === '127.0.0.1');
}

/**
 * Asks the server for an ID token that AWS takes for one role (`POST /api/aws/token`).
 *
 * @param signal when to give up
 * @throws Problem `session-over` (exit code 3) when the server no longer takes the session, `clock-skew` and
 *   `role-refused` (5); `server-unreachable` (4), which is an Outage unless it cannot pass by itself
 */
export async function requestAwsToken(access: Access, role: string, signal: AbortSignal): Promise<string> {
  const response = await request(access, 'POST', '/api/aws/token', JSON.stringify({ role }), signal);
  const { token } = await readJson(response).catch((error) => {
    throw noAnswer(access, error);
  });
  if (response.status === 200 && typeof token === 'string' && token !== '') return token;
  throw outage(access, `It answered with status ${response.status}, which is no answer to the question.`);
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
  const response = await request(access, 'DELETE', '/api/session', null, signal);
  await response.body?.cancel();
}

async function request(
  access: Access,
  method: string,
  path: string,
  body: string | null,
  signal: AbortSignal,
): Promise<Response> {
  const url = new URL(`${access.issuer.replace(/\/$/, '')}${path}`);
  const headers = new Headers({ accept: 'application/json' });
  if (body !== null) headers.set('content-type', 'application/json');
  const send = () =>
    protectedResourceRequest(access.accessToken.reveal(), method, url, headers, body, {
      DPoP: access.dpop,
      [allowInsecureRequests]: isLoopbackHttp(url),
      signal,
    });
  let response: Response;
  try {
    try {
      response = await send();
    } catch (error) {
      // The server may ask for a nonce of its own in the proof; the handle has taken it in (RFC 9449 section 8).
      if (!isDPoPNonceError(error)) throw error;
      response = await send();
    }
  } catch (error) {
    if (!(error instanceof WWWAuthenticateChallengeError)) throw noAnswer(access, error);
    response = error.response;
  }
  if (response.ok) return response;
  throw await refusal(access, response);
}

async function refusal(access: Access, response: Response): Promise<Problem> {
  const { status, headers } = response;
  const { type, title, detail } = await readJson(response).catch((): Record<string, unknown> => ({}));
  const [, kind = ''] = /^urn:vouch:problem:([\w-]{1,64})$/.exec(String(type)) ?? [];
  const quote = (text: unknown) =>
    typeof text === 'string' ? printable(redact(text, [access.accessToken.reveal()]), 300) : '';
  const said = quote(title) || `status ${status}`;
  // A proof of the wrong time says nothing of the session, which is still good when the clock is.
  const skew = kind === 'token-refused' ? clockSkew(response, Date.now()) : undefined;
  if (skew) return skew;
  const isChallenge = status === 401 && /\bDPoP\b/i.test(headers.get('www-authenticate') ?? '');
  if (isChallenge || kind === 'session-over' || kind === 'token-refused') {
    return new Problem({
      kind: 'session-over',
      what: 'Your session is over.',
      why: `${hostOf(access)} no longer takes it: ${said}`,
      fix: 'Run `vouch login`, then try again.',
      exitCode: 3,
    });
  }
  if (status === 429 || status >= 500) {
    return outage(access, `It answered: ${said}`, readRetryAfter(headers.get('retry-after')));
  }
  // A session must not end, nor a role be refused, by the word of a proxy or of a Wi-Fi's login page.
  if (kind === '') {
    return outage(
      access,
      `Something answered in its place, with status ${status}: a proxy, or your Wi-Fi's login page.`,
    );
  }
  return new Problem({
    kind,
    what: `${hostOf(access)} refused a token for AWS.`,
    why: `It says: ${said}`,
    fix: quote(detail) || 'Ask who runs the Vouch server.',
    exitCode: 5,
  });
}

function noAnswer(access: Access, error: unknown): Problem {
  const why = redact(networkReason(error), [access.accessToken.reveal()]);
  // The error itself is left behind: what it carries is nobody's business.
  return isLastingFailure(error) ? new Problem({ ...unreachable(access, why), exitCode: 4 }) : outage(access, why);
}

function outage(access: Access, why: string, retryAfter?: number): Outage {
  return new Outage(unreachable(access, why), retryAfter);
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

/**
 * The body as JSON, or an empty object when it is none, or too long to be an answer.
 *
 * @throws as the stream, when the body is cut off
 */
async function readJson(response: Response): Promise<Record<string, unknown>> {
  const body = await readAtMost(longestAnswer, response.body ?? []);
  try {
    const value: unknown = JSON.parse(body?.toString('utf8') ?? '');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
