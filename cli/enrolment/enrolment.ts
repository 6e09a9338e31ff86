import { setTimeout as sleep } from 'node:timers/promises';
import { readKeyName } from '../login/key-name.ts';
import { explainServerError } from '../login/oidc-client.ts';
import { readWords } from '../login/words.ts';
import { Problem } from '../problem/problem.ts';
import { askServer, UnfitAnswer } from '../server-api/ask-server.ts';
import { isPassing, serverRefusal } from '../server-api/refusal.ts';
import type { KeyName } from '../text/key-label.ts';
import { printable } from '../text/printable.ts';

/** How often the server is asked how it goes, in milliseconds. */
const POLL_MS = 500;

/** More than any page's address has, in characters. */
const LONGEST_ADDRESS = 2000;

export interface StartedEnrolment {
  url: string;
  poll: string;
  email: string;
  expiresAt: string;
}

/**
 * Opens an enrolment with an invitation's code (docs/http-api.md).
 *
 * @throws Problem `invitation-refused` (exit code 5), or as `explainServerError`
 */
export async function startEnrolment(
  server: string,
  request: { invitation: string; machine: string; name?: string; email?: string },
  signal: AbortSignal,
): Promise<StartedEnrolment> {
  const { status, said } = await post(server, '/enroll/start', request, signal);
  if (status !== 200) throw refusal(server, status, said);
  const { url, poll, email, expiresAt } = said;
  // The page's address is opened in a browser: it must be the server's own, and is shown in its parsed form.
  const page = URL.parse(String(url));
  const isFit = page?.origin === server && !page.username && !page.password && page.href.length <= LONGEST_ADDRESS;
  if (!isFit || typeof poll !== 'string') {
    throw explainServerError(server, new UnfitAnswer('It described no enrolment.'));
  }
  return { url: page.href, poll, email: printable(String(email)), expiresAt: String(expiresAt) };
}

/**
 * Waits until a page has opened the enrolment's address.
 *
 * @returns the words that it shows
 * @throws Problem when the enrolment is over; `signal.reason` when aborted
 */
export function openedPage(server: string, poll: string, signal: AbortSignal): Promise<string> {
  return untilSaid(server, poll, signal, (said) => {
    if (said.state === 'waiting') return undefined;
    const words = readWords(said.words);
    if (said.state === 'opened' && words !== undefined) return words;
    throw explainServerError(server, new UnfitAnswer('It did not say which words its page shows.'));
  });
}

/**
 * Says whether the page that shows these words is the one that the person has before them. Only then is a key taken there.
 *
 * @param mine false ends the enrolment; the invitation stays good
 * @throws Problem when the enrolment is over, or as `explainServerError`
 */
export async function answerPage(
  server: string,
  poll: string,
  { words, mine }: { words: string; mine: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { status, said } = await post(server, mine ? '/enroll/approve' : '/enroll/deny', { poll, words }, signal);
  if (status !== 204) throw refusal(server, status, said);
}

/**
 * Waits until the key is enrolled.
 *
 * @throws Problem when the enrolment is over; `signal.reason` when aborted
 */
export function enrolledKey(server: string, poll: string, signal: AbortSignal): Promise<KeyName> {
  return untilSaid(server, poll, signal, ({ state, key }) => (state === 'done' ? readKeyName(key) : undefined));
}

/** Asks the server how the enrolment goes, until something in its answer is what is waited for. */
async function untilSaid<Awaited>(
  server: string,
  poll: string,
  signal: AbortSignal,
  find: (said: Record<string, unknown>) => Awaited | undefined,
): Promise<Awaited> {
  for (;;) {
    const { status, said }: Answer = await post(server, '/enroll/status', { poll }, signal).catch((error: unknown) => {
      if (error instanceof Problem && error.kind === 'server-unreachable') return { status: 503, said: {} };
      throw error;
    });
    // The person is at the page: a network that is away, or a server that is busy, for a moment is no reason to give up.
    if (status !== 200 && !isPassing(status)) throw refusal(server, status, said);
    const found = status === 200 ? find(said) : undefined;
    if (found !== undefined) return found;
    await sleep(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

interface Answer {
  status: number;
  said: Record<string, unknown>;
}

async function post(server: string, path: string, body: object, signal: AbortSignal): Promise<Answer> {
  try {
    const answer = await askServer(new URL(path, server), {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      signal,
    });
    const { status } = answer;
    // What stands before a server that is down answers with a page of its own.
    if (status !== 200 && !/json/.test(answer.headers['content-type'] ?? '')) return { status, said: {} };
    return { status, said: Object(JSON.parse(answer.body.toString('utf8'))) };
  } catch (error) {
    signal.throwIfAborted();
    throw explainServerError(server, error);
  }
}

function refusal(server: string, status: number, said: Record<string, unknown>): Problem {
  return (
    serverRefusal(status, said) ??
    explainServerError(server, new UnfitAnswer(`It answered with status ${status}.`, status))
  );
}
