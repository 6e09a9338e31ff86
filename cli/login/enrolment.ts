import { setTimeout as sleep } from 'node:timers/promises';
import type { KeyName } from '../agent/protocol.ts';
import { prepareNetwork } from '../network-environment.ts';
import { Problem, printable } from '../problem.ts';
import { explainServerError } from './identity-server.ts';
import { readKeyName } from './key-name.ts';

/** How often the server is asked how it goes, in milliseconds. */
const POLL_MS = 500;

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
  prepareNetwork();
  const { url, poll, email, expiresAt } = await post(server, '/enroll/start', request, signal);
  // The page's address is opened in a browser: it must be the server's own, and is shown in its parsed form.
  const page = URL.parse(String(url));
  if (page?.origin !== server || typeof poll !== 'string') {
    throw explainServerError(server, new Error('It described no enrolment.'));
  }
  return { url: page.href, poll, email: printable(String(email)), expiresAt: String(expiresAt) };
}

/**
 * Waits until the key is enrolled.
 *
 * @throws Problem when the enrolment is over; `signal.reason` when aborted
 */
export async function enrolledKey(server: string, poll: string, signal: AbortSignal): Promise<KeyName> {
  for (;;) {
    const status: Record<string, unknown> = await post(server, '/enroll/status', { poll }, signal).catch(
      (error: unknown) => {
        // The person is at the page: a network that is away for a moment is no reason to give up.
        if (error instanceof Problem && error.kind === 'server-unreachable') return {};
        throw error;
      },
    );
    const key = status.state === 'done' ? readKeyName(status.key) : undefined;
    if (key !== undefined) return key;
    await sleep(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function post(server: string, path: string, body: object, signal: AbortSignal): Promise<Record<string, unknown>> {
  let response: Response;
  let answer: Record<string, unknown>;
  try {
    response = await fetch(new URL(path, server), {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    answer = Object(await response.json());
  } catch (error) {
    signal.throwIfAborted();
    throw explainServerError(server, error);
  }
  if (response.ok) return answer;
  const { type, title, detail } = answer;
  throw new Problem({
    kind: String(type).replace(/^urn:vouch:problem:/, ''),
    what: `${printable(String(title ?? `The server answered with status ${response.status}`))}.`,
    fix: printable(String(detail ?? 'Try again.')),
    exitCode: 5,
  });
}
