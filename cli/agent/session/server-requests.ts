import { generateProof } from 'dpop';
import { decodeJwt } from 'jose';
import { clockSkew } from '../../network/clock-skew.ts';
import { type HttpAnswer, sendRequest } from '../../network/http-request.ts';
import { Outage, readRetryAfter } from '../../network/outage.ts';
import { isLastingFailure, networkFailure, networkFix, networkReason, restart } from '../../network/reason.ts';
import { redact } from '../../network/redact.ts';
import { serverKind } from '../../problem/kinds.ts';
import { Problem } from '../../problem/problem.ts';
import { signInNeeded } from '../../problem/sign-in-needed.ts';
import { serverUnreachable } from '../../server-api/problems.ts';
import { isPassing, readProblem } from '../../server-api/refusal.ts';
import { parseJson } from '../../text/parse-json.ts';
import { printable } from '../../text/printable.ts';
import type { Access } from './access-token.ts';

/** More than any of the server's answers, in bytes. */
const longestAnswer = 64 * 1024;

/**
 * Asks the server for an ID token that AWS takes for one role (`POST /api/aws/token`).
 *
 * @param signal when to give up
 * @returns the token; and for how many seconds AWS credentials may be asked for, unless the server is too old to say so
 * @throws Problem `session-over` (exit code 3) when the server refuses the session, `clock-skew` and `role-refused` (5),
 *   `server-unreachable` (4), an Outage if a retry may help
 */
export async function requestAwsToken(
  access: Access,
  role: string,
  signal: AbortSignal,
): Promise<{ token: string; sessionSeconds: number | undefined }> {
  const answer = await request(access, 'POST', '/api/aws/token', JSON.stringify({ role }), signal);
  const { token, sessionSeconds } = readJson(answer);
  if (answer.status === 200 && typeof token === 'string' && token !== '') {
    return { token, sessionSeconds: Number.isSafeInteger(sessionSeconds) ? Number(sessionSeconds) : undefined };
  }
  throw new Outage(serverUnreachable(access.issuer, `It answered with status ${answer.status}, but without a token.`));
}

/**
 * The claims of an ID token. We do not check its signature: it came from the server itself, and AWS checks it.
 *
 * @throws Problem `server-unreachable` when it is not a token
 */
export function readClaims(access: Access, token: string): Record<string, unknown> {
  try {
    return decodeJwt(token);
  } catch {
    throw new Outage(serverUnreachable(access.issuer, 'It answered with something that is not a token.'));
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
    // The server may require its own nonce in the proof, and then sends one (RFC 9449, section 8).
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
  const { issuer } = access;
  const { status, headers } = answer;
  const { kind = '', title, detail } = readProblem(readJson(answer)) ?? {};
  const quote = (text = '') => printable(redact(text, [access.accessToken.reveal()]), 300);
  const said = quote(title) || `status ${status}`;
  // A proof with the wrong time does not mean that the session is over: it is valid again once the clock is right.
  const skew = kind === 'token-refused' ? clockSkew(headers.date, Date.now()) : undefined;
  if (skew) return skew;
  // The server got its nonce, so this does not mean that the session is over.
  if (wantsNonce(answer)) return new Outage(serverUnreachable(issuer, 'It asks for one nonce after the other.'));
  const isChallenge = status === 401 && /\bDPoP\b/i.test(headers['www-authenticate'] ?? '');
  if (isChallenge || kind === 'session-over' || kind === 'token-refused') {
    return signInNeeded('session-over', 'Your session is over.', `${hostOf(access)} no longer takes it: ${said}`);
  }
  if (isPassing(status)) {
    return new Outage(serverUnreachable(issuer, `It answered: ${said}`), readRetryAfter(headers['retry-after']));
  }
  // No proxy, and no login page of a Wi-Fi, can end a session or refuse a role.
  if (kind === '') {
    const why = `Something answered in its place, with status ${status}: a proxy, or your Wi-Fi's login page.`;
    return new Outage(serverUnreachable(issuer, why, { network: 'proxy' }));
  }
  return new Problem({
    ...serverKind(kind),
    what: `${hostOf(access)} refused a token for AWS.`,
    why: `It says: ${said}`,
    fix: quote(detail) || "Ask the Vouch server's administrator.",
    category: 'refused',
  });
}

function noAnswer({ issuer, accessToken }: Access, error: unknown): Problem {
  const why = redact(networkReason(error), [accessToken.reveal()]);
  // The error itself is not passed on, because it could carry a secret.
  const network = networkFailure(error);
  if (!isLastingFailure(error)) return new Outage(serverUnreachable(issuer, why, { network }));
  const fix = networkFix(error, 'NODE_EXTRA_CA_CERTS', restart);
  return new Problem(serverUnreachable(issuer, why, { network, fix }));
}

function hostOf({ issuer }: Access): string {
  return new URL(issuer).host;
}

/** The body as JSON; an empty object when it is not JSON, or too long. */
function readJson({ body }: HttpAnswer): Record<string, unknown> {
  return Object(parseJson(body?.toString('utf8') ?? ''));
}
