import { setTimeout as sleep } from 'node:timers/promises';
import { explainServerError } from '../login/explain-server-error.ts';
import { readKeyName, readKeyNames } from '../login/key-name.ts';
import { readWords } from '../login/read-words.ts';
import { Problem } from '../problem/problem.ts';
import { askServer, UnfitAnswer } from '../server-api/ask-server.ts';
import { isPassing, serverRefusal } from '../server-api/refusal.ts';
import type { KeyName } from '../text/key-label.ts';
import { printable } from '../text/printable.ts';

/** The pause between two requests to the server, in milliseconds. */
const pollInterval = 500;

/** More than the address of any page, in characters. */
const longestAddress = 2000;

export interface StartedEnrolment {
  /** The page's address. */
  url: string;
  /** The secret with which we ask the server how the enrolment goes. */
  poll: string;
  email: string;
  expiresAt: string;
  /** The keys that the new one takes the place of. */
  replaces: readonly KeyName[];
}

/** A key that was enrolled. */
export interface EnrolledKey {
  key: KeyName;
  /** After the old keys were replaced: until when AWS may honour what the ended sessions got, in ISO 8601; null for nothing. */
  awsCredentialsUntil: string | null;
}

/**
 * Starts an enrolment with an invitation's code (docs/http-api.md).
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
  const { url, poll, email, expiresAt, replaces } = said;
  // A browser opens the page's address: it must be the server's own, and is shown as it was parsed.
  const page = URL.parse(String(url));
  const isFit = page?.origin === server && !page.username && !page.password && page.href.length <= longestAddress;
  if (!isFit || typeof poll !== 'string') {
    throw explainServerError(server, new UnfitAnswer('It described no enrolment.'));
  }
  return {
    url: page.href,
    poll,
    email: printable(String(email)),
    expiresAt: String(expiresAt),
    replaces: Array.isArray(replaces) ? readKeyNames(replaces) : [],
  };
}

/**
 * Waits until a page has opened the enrolment's address.
 *
 * @returns the words that it shows
 * @throws Problem when the enrolment is over; `signal.reason` when aborted
 */
export function openedPage(server: string, poll: string, signal: AbortSignal): Promise<string> {
  return pollUntil(server, poll, signal, (said) => {
    if (said.state === 'waiting') return undefined;
    const words = readWords(said.words);
    if (said.state === 'opened' && words !== undefined) return words;
    throw explainServerError(server, new UnfitAnswer('Its answer does not have the words that its page shows.'));
  });
}

/**
 * Reports to the server whether the page with these words is the person's own. The server takes a key only from such a page.
 *
 * @param mine false ends the enrolment; the invitation stays valid
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
export function enrolledKey(server: string, poll: string, signal: AbortSignal): Promise<EnrolledKey> {
  return pollUntil(server, poll, signal, (said) => {
    const key = said.state === 'done' ? readKeyName(said.key) : undefined;
    const until = new Date(String(said.awsCredentialsUntil));
    return key && { key, awsCredentialsUntil: Number.isNaN(until.getTime()) ? null : until.toISOString() };
  });
}

/** Asks the server how the enrolment goes, until `find` finds what we wait for in the answer. */
async function pollUntil<Awaited>(
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
    // The person is at the page. We do not give up when the network is away, or the server busy, for a moment.
    if (status !== 200 && !isPassing(status)) throw refusal(server, status, said);
    const found = status === 200 ? find(said) : undefined;
    if (found !== undefined) return found;
    await sleep(pollInterval, undefined, { signal }).catch(() => signal.throwIfAborted());
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
    // A proxy in front of a server that is down answers with its own page.
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
