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
import { networkReason } from '../network-reason.ts';
import { Problem, printable } from '../problem.ts';
import type { NewSession } from './protocol.ts';

/** How long the server may take to answer, in milliseconds. */
const timeout = 5000;

/** What goes along with every request of one session: the token, and the key that proves that it is ours (RFC 9449). */
export interface Access {
  issuer: string;
  accessToken: string;
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
    accessToken: session.accessToken,
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
 * @throws Problem `session-over` (exit code 3) when the server no longer takes the session, `clock-skew` and
 *   `role-refused` (5), `server-unreachable` (4)
 */
export async function requestAwsToken(access: Access, role: string, signal: AbortSignal): Promise<string> {
  const response = await request(access, 'POST', '/api/aws/token', JSON.stringify({ role }), signal);
  const { token } = (await readJson(response)) as { token?: unknown };
  if (response.status === 200 && typeof token === 'string' && token !== '') return token;
  throw unreachable(access, `It answered with status ${response.status}, which is no answer to the question.`);
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
    throw unreachable(access, 'It answered with something that is no token.');
  }
}

/**
 * Revokes the session at the server (`DELETE /api/session`).
 *
 * @throws Problem as requestAwsToken
 */
export async function revokeSession(access: Access): Promise<void> {
  const response = await request(access, 'DELETE', '/api/session', null, undefined);
  await response.body?.cancel();
}

async function request(
  access: Access,
  method: string,
  path: string,
  body: string | null,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const url = new URL(`${access.issuer.replace(/\/$/, '')}${path}`);
  const headers = new Headers({ accept: 'application/json' });
  if (body !== null) headers.set('content-type', 'application/json');
  const send = () => {
    const late = AbortSignal.timeout(timeout);
    return protectedResourceRequest(access.accessToken, method, url, headers, body, {
      DPoP: access.dpop,
      [allowInsecureRequests]: isLoopbackHttp(url),
      signal: signal ? AbortSignal.any([late, signal]) : late,
    });
  };
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
    if (!(error instanceof WWWAuthenticateChallengeError)) throw unreachable(access, networkReason(error), error);
    response = error.response;
  }
  if (response.ok) return response;
  throw await refusal(access, response);
}

async function refusal(access: Access, response: Response): Promise<Problem> {
  const { type, title, detail } = (await readJson(response)) as Record<string, unknown>;
  const kind = typeof type === 'string' ? type.replace(/^urn:vouch:problem:/, '') : '';
  const said = typeof title === 'string' ? printable(title, 300) : `status ${response.status}`;
  const next = typeof detail === 'string' ? printable(detail, 300) : '';
  const host = new URL(access.issuer).host;
  // A proof of the wrong time says nothing of the session, which is still good when the clock is.
  const skew = kind === 'token-refused' ? clockSkew(response, Date.now()) : undefined;
  if (skew) return skew;
  if (response.status === 401 || kind === 'session-over' || kind === 'token-refused') {
    return new Problem({
      kind: 'session-over',
      what: 'Your session is over.',
      why: `${host} no longer takes it: ${said}`,
      fix: 'Run `vouch login`, then try again.',
      exitCode: 3,
    });
  }
  if (response.status === 429 || response.status >= 500) {
    return unreachable(access, `It answered: ${said}`);
  }
  return new Problem({
    kind: kind || 'role-refused',
    what: `${host} refused a token for AWS.`,
    why: `It says: ${said}`,
    fix: next || 'Ask who runs the Vouch server.',
    exitCode: 5,
  });
}

function unreachable(access: Access, why: string, cause?: unknown): Problem {
  return new Problem(
    {
      kind: 'server-unreachable',
      what: `The Vouch server ${new URL(access.issuer).host} could not be reached.`,
      why,
      fix: 'Check your network, then try again.',
      exitCode: 4,
    },
    { cause },
  );
}

/** The body as JSON, or an empty object; at most what a sane answer needs, so that no server fills our memory. */
async function readJson(response: Response): Promise<object> {
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > 64 * 1024) return {};
      chunks.push(chunk);
    }
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
