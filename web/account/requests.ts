import { call } from '../ui/call.ts';
import { authenticate, register } from '../ui/ceremony.ts';
import { forgetPageSecret, keepPageSecret, pageHeader } from '../ui/page-secret.ts';
import { ProblemError } from '../ui/problem.ts';
import type { Account, Browser, Ending, History, Key, Me, Session } from './account.ts';

/** Under this name the page keeps its half of the web session. */
const secret = 'account';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

let answeredAt = 0;

/** When the server last answered within the session, in milliseconds since the epoch: from then on it counts the idle minutes. */
export function lastAnswerAt(): number {
  return answeredAt;
}

/** Asks the server within the web session. @param path below `/account/` */
async function ask<Answer>(method: Method, path: string, body?: unknown): Promise<Answer> {
  const answer = await call<Answer>(method, `/account/${path}`, body, pageHeader(secret));
  answeredAt = Date.now();
  return answer;
}

/** Whether this page has had a session: perhaps it still has. */
export function mayBeSignedIn(): boolean {
  return 'vouch-page' in pageHeader(secret);
}

/** Forgets the page's half of the session. */
export function forgetSession(): void {
  forgetPageSecret(secret);
}

let touchedAt = Number.NEGATIVE_INFINITY;

/** For how long a touch is fresh enough for a sensitive change, in milliseconds: the server's 5 minutes, less the time to get there. */
const fresh = 4 * 60_000;

/** Whether this page saw a touch just now. It does not know of one from before a reload; the server decides in any case. */
export function wasTouchedJustNow(): boolean {
  return performance.now() - touchedAt < fresh;
}

/** A touch of any enrolled key, which begins a session. */
export async function signIn(onTouched: () => void): Promise<void> {
  // Its answer takes the cookie back, and would take the next one.
  await signingOut;
  const { page } = await authenticate<{ page: string }>('/account/sign-in', onTouched);
  keepTouch(page);
}

/** Another touch of one of the person's keys: it renews the session. */
export async function touchAgain(onTouched: () => void): Promise<void> {
  const { page } = await authenticate<{ page: string }>('/account/touch', onTouched, pageHeader(secret));
  keepTouch(page);
}

function keepTouch(page: string): void {
  keepPageSecret(secret, page);
  touchedAt = performance.now();
}

let signingOut: Promise<unknown> = Promise.resolve();

/** Signs out here at once, and at the server if it answers: there the session ends by itself otherwise. */
export function signOut(): void {
  signingOut = ask('POST', 'sign-out').catch(() => {});
  forgetSession();
}

/** All that the page shows, in one go, so that nothing jumps when a part of it comes later. */
export async function load(): Promise<Account> {
  const [me, { keys }, { sessions, browsers }, history] = await Promise.all([
    ask<Me>('GET', 'me'),
    ask<{ keys: Key[] }>('GET', 'keys'),
    ask<{ sessions: Session[]; browsers: Browser[] }>('GET', 'sessions'),
    ask<History>('GET', 'history'),
  ]);
  return { me, keys, sessions, browsers, history };
}

export function olderHistory(before: number): Promise<History> {
  return ask('GET', `history?before=${before}`);
}

/** Registers a new key. */
export async function addKey(name: string, onTouched: () => void): Promise<{ name: string; model: string | null }> {
  type Answer = { key: { name: string; model: string | null } };
  const { key } = await register<Answer>('/account/keys', onTouched, pageHeader(secret), { name });
  return key;
}

export function renameKey(id: string, name: string): Promise<void> {
  return ask('PATCH', `keys/${encodeURIComponent(id)}`, { name });
}

export function removeKey(id: string): Promise<Ending> {
  return ask('DELETE', `keys/${encodeURIComponent(id)}`);
}

export function endSession(id: string): Promise<Ending> {
  return ask('DELETE', `sessions/${encodeURIComponent(id)}`);
}

export function endOtherSessions(): Promise<Ending> {
  return ask('DELETE', 'sessions');
}

export function reportNotMe(): Promise<Ending> {
  return ask('POST', 'not-me');
}

/** Whether an error is the server's refusal of this kind. */
export function isProblem(error: unknown, name: string): boolean {
  return error instanceof ProblemError && error.problem.name === name;
}
