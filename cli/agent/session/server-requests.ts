import { generateProof } from 'dpop';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { clockSkew } from '../../network/clock-skew.ts';
import { type BegunAnswer, beginRequest, type HttpAnswer, readAnswer } from '../../network/http-request.ts';
import { Outage, readRetryAfter } from '../../network/outage.ts';
import { isLastingFailure, networkFailure, networkFix, networkReason, restart } from '../../network/reason.ts';
import { redact } from '../../network/redact.ts';
import type { ProblemDetails } from '../../problem/details.ts';
import { serverKind } from '../../problem/kinds.ts';
import { Problem } from '../../problem/problem.ts';
import { signInNeeded } from '../../problem/sign-in-needed.ts';
import { serverUnreachable } from '../../server-api/problems.ts';
import { isPassing, readProblem, sentence } from '../../server-api/refusal.ts';
import { sessionOver } from '../../server-api/session-over.ts';
import { parseJson } from '../../text/parse-json.ts';
import { printable } from '../../text/printable.ts';
import type { RoleClaims } from '../protocol/messages.ts';
import type { Access } from './access-token.ts';

/** More than any of the server's answers, in bytes. */
const longestAnswer = 64 * 1024;

/**
 * Asks the server for an ID token that AWS takes for one role (`POST /api/aws/token`).
 *
 * @param asked the role's ARN; and the name of the lend that it is for, which the token then says to AWS
 * @param signal when to give up
 * @returns the token; and for how many seconds AWS credentials may be asked for, unless the server is too old to say so
 * @throws Problem `session-over` (exit code 3) when the server refuses the session, `clock-skew` and `role-refused` (5),
 *   `server-unreachable` (4), an Outage if a retry may help; `old-server`
 */
export async function requestAwsToken(
  access: Access,
  { role, lent }: { role: string; lent?: string | undefined },
  signal: AbortSignal,
): Promise<{ token: string; sessionSeconds: number | undefined }> {
  const body = JSON.stringify({ role, lent });
  const asked = { method: 'POST', path: '/api/aws/token', body, purpose: 'a token for AWS' };
  const answer = await request(access, asked, signal);
  const { token, sessionSeconds, ...said } = readJson(answer);
  // A server that is too old for it would give a token that says nothing of a lend, and an administrator's rules would not see it.
  if (answer.status === 200 && lent !== undefined && said.lent !== lent) throw cannotLend(access);
  if (answer.status === 200 && typeof token === 'string' && token !== '') {
    return { token, sessionSeconds: Number.isSafeInteger(sessionSeconds) ? Number(sessionSeconds) : undefined };
  }
  throw new Outage(serverUnreachable(access.issuer, `It answered with status ${answer.status}, but without a token.`));
}

function cannotLend(access: Access): Problem {
  return new Problem({
    kind: 'old-server',
    what: `${hostOf(access)} is too old for lending.`,
    why: 'Its tokens do not tell AWS that they are for something lent.',
    fix: 'Ask its administrator to install a newer version.',
  });
}

/**
 * The claims of an ID token, and the name of its key. We do not check its signature: it came from the server itself, and AWS checks it.
 *
 * @throws Problem `server-unreachable` when it is not a token
 */
export function readClaims(access: Access, token: string): RoleClaims {
  try {
    return { claims: decodeJwt(token), keyId: decodeProtectedHeader(token).kid };
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
  await request(access, { method: 'DELETE', path: '/api/session' }, signal);
}

/**
 * Asks the server for something of the person's own.
 *
 * @param signal when to give up
 * @returns the answer's JSON; an empty object if it has none
 * @throws Problem as requestAwsToken, or the server's own
 */
export async function askAsPerson(
  access: Access,
  asked: PersonRequest,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  return readJson(await request(access, asked, signal));
}

/**
 * Opens the stream on which the server tells when the session is over (`GET /api/session/events`). It does not keep the process alive.
 *
 * @param signal ends the request, and the stream
 * @throws Problem as requestAwsToken, with the kind `not-found` when the server is too old to have such a stream
 */
export async function openSessionEvents(access: Access, signal: AbortSignal): Promise<BegunAnswer['body']> {
  const asked = { method: 'GET', path: '/api/session/events', background: true };
  const { status, headers, body } = await begin(access, asked, signal);
  if (status === 200 && /^application\/x-ndjson\b/i.test(headers['content-type'] ?? '')) return body;
  body.destroy();
  throw new Outage(somethingElse(access, status));
}

/** A request with the person's session. */
export interface PersonRequest {
  method: string;
  path: string;
  /** JSON. */
  body?: string;
}

interface ToSend extends PersonRequest {
  background?: boolean;
  /** What a refusal is a refusal of. Without it the server's words are enough. */
  purpose?: string;
}

async function request(access: Access, asked: ToSend, signal: AbortSignal): Promise<HttpAnswer> {
  return readToEnd(access, await begin(access, asked, signal), signal);
}

/** Sends a request, and reads the head of its answer. A refusal is read to its end, and thrown. */
async function begin(access: Access, asked: ToSend, signal: AbortSignal): Promise<BegunAnswer> {
  const url = new URL(`${access.issuer.replace(/\/$/, '')}${asked.path}`);
  let answer: BegunAnswer;
  try {
    answer = await send(access, url, asked, signal);
    // The server may require its own nonce in the proof, and then sends one (RFC 9449, section 8).
    if (wantsNonce(answer)) {
      answer.body.destroy();
      answer = await send(access, url, asked, signal);
    }
  } catch (error) {
    throw noAnswer(access, error);
  }
  if (answer.status >= 200 && answer.status <= 299) return answer;
  throw refusal(access, asked, await readToEnd(access, answer, signal));
}

async function readToEnd(access: Access, answer: BegunAnswer, signal: AbortSignal): Promise<HttpAnswer> {
  try {
    return await readAnswer(answer, { longest: longestAnswer, signal });
  } catch (error) {
    throw noAnswer(access, error);
  }
}

function wantsNonce({ status, headers }: Pick<HttpAnswer, 'status' | 'headers'>): boolean {
  return status === 401 && /\berror="?use_dpop_nonce\b/i.test(headers['www-authenticate'] ?? '');
}

async function send(
  access: Access,
  url: URL,
  { method, body, background }: ToSend,
  signal: AbortSignal,
): Promise<BegunAnswer> {
  const accessToken = access.accessToken.reveal();
  const proof = await generateProof(access.proofKey, url.href, method, access.nonce, accessToken);
  const answer = await beginRequest(url, {
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
    background,
  });
  const nonce = answer.headers['dpop-nonce'];
  if (typeof nonce === 'string') access.nonce = nonce;
  return answer;
}

function refusal(access: Access, { purpose }: ToSend, answer: HttpAnswer): Problem {
  const { issuer } = access;
  const { status, headers } = answer;
  const said = readJson(answer);
  const { kind = '', title, detail } = readProblem(said) ?? {};
  const summary = quote(access, title) || `status ${status}`;
  // A proof with the wrong time does not mean that the session is over: it is valid again once the clock is right.
  const skew = kind === 'token-refused' ? clockSkew(headers.date, Date.now()) : undefined;
  if (skew) return skew;
  // The server got its nonce, so this does not mean that the session is over.
  if (wantsNonce(answer)) return new Outage(serverUnreachable(issuer, 'It asks for one nonce after the other.'));
  const isChallenge = status === 401 && /\bDPoP\b/i.test(headers['www-authenticate'] ?? '');
  if (isChallenge || kind === 'session-over' || kind === 'token-refused') {
    return endedByServer(access, kind === 'session-over' ? said : {}, summary);
  }
  if (isPassing(status)) {
    return new Outage(serverUnreachable(issuer, `It answered: ${summary}`), readRetryAfter(headers['retry-after']));
  }
  // No proxy, and no login page of a Wi-Fi, can end a session or refuse a role.
  if (kind === '') {
    return new Outage(somethingElse(access, status));
  }
  const fix = quote(access, detail) || "Ask the Vouch server's administrator.";
  if (purpose === undefined) return new Problem({ ...serverKind(kind), what: sentence(summary), fix });
  return new Problem({
    ...serverKind(kind),
    what: `${hostOf(access)} refused ${purpose}.`,
    why: `It says: ${summary}`,
    fix,
    category: 'refused',
  });
}

/**
 * The Problem when the server has ended the session.
 *
 * @param said the problem or the event in which it says so
 * @param summary its title, for a reason that this version does not know
 */
export function endedByServer(access: Access, said: Record<string, unknown>, summary = ''): Problem {
  const known = sessionOver(access.issuer, { reason: said.reason, contact: quote(access, said.contact) });
  const rest = summary === '' ? '.' : `: ${summary}`;
  return known ?? signInNeeded('session-over', 'Your session is over.', `${hostOf(access)} no longer takes it${rest}`);
}

function somethingElse({ issuer }: Access, status: number): ProblemDetails {
  const why = `Something answered in its place, with status ${status}: a proxy, or your Wi-Fi's login page.`;
  return serverUnreachable(issuer, why, { network: 'proxy' });
}

function noAnswer({ issuer, accessToken }: Access, error: unknown): Problem {
  const why = redact(networkReason(error), [accessToken.reveal()]);
  // The error itself is not passed on, because it could carry a secret.
  const network = networkFailure(error);
  if (!isLastingFailure(error)) return new Outage(serverUnreachable(issuer, why, { network }));
  const fix = networkFix(error, 'NODE_EXTRA_CA_CERTS', restart);
  return new Problem(serverUnreachable(issuer, why, { network, fix }));
}

/** What the server says, safe for a terminal and without our secrets; empty when it says nothing. */
function quote({ accessToken }: Access, text: unknown): string {
  return typeof text === 'string' ? printable(redact(text, [accessToken.reveal()]), 300) : '';
}

function hostOf({ issuer }: Access): string {
  return new URL(issuer).host;
}

/** The body as JSON; an empty object when it is not JSON, or too long. */
function readJson({ body }: HttpAnswer): Record<string, unknown> {
  return Object(parseJson(body?.toString('utf8') ?? ''));
}
