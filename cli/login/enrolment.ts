import { setTimeout as sleep } from 'node:timers/promises';
import type { KeyName } from '../agent/protocol.ts';
import { Problem, printable } from '../problem.ts';
import { explainServerError } from './identity-server.ts';

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
  const started = await post<StartedEnrolment>(server, '/enroll/start', request, signal);
  // The page's address is opened in a browser: it must be the server's own.
  if (URL.parse(started.url)?.origin !== server || typeof started.poll !== 'string') {
    throw explainServerError(server, new Error('The page it named is not its own.'));
  }
  return started;
}

/**
 * Waits until the key is enrolled.
 *
 * @throws Problem when the enrolment is over; `signal.reason` when aborted
 */
export async function enrolledKey(server: string, poll: string, signal: AbortSignal): Promise<KeyName> {
  for (;;) {
    const status = await post<{ state: string; key?: KeyName }>(server, '/enroll/status', { poll }, signal);
    if (status.state === 'done' && status.key) return { name: status.key.name, model: status.key.model ?? null };
    await sleep(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function post<Answer>(server: string, path: string, body: object, signal: AbortSignal): Promise<Answer> {
  let response: Response;
  let answer: unknown;
  try {
    response = await fetch(new URL(path, server), {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    answer = await response.json();
  } catch (error) {
    signal.throwIfAborted();
    throw explainServerError(server, error);
  }
  if (response.ok) return answer as Answer;
  const { type, title, detail } = answer as { type?: unknown; title?: unknown; detail?: unknown };
  throw new Problem({
    kind: String(type).replace(/^urn:vouch:problem:/, ''),
    what: `${printable(String(title ?? `The server answered with status ${response.status}`))}.`,
    fix: printable(String(detail ?? 'Try again.')),
    exitCode: 5,
  });
}
