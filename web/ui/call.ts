import { ProblemError, readProblem } from './problem.ts';

/** No answer came, or none that could be read. */
export class UnreachableError extends Error {
  constructor(cause: unknown) {
    super('The server did not answer', { cause });
    this.name = 'UnreachableError';
  }
}

/** How long one call may take, in milliseconds. */
const callTimeout = 30_000;

/**
 * Calls our own server.
 *
 * @param headers further headers
 * @throws ProblemError when the server refuses
 * @throws UnreachableError when it does not answer
 */
export async function call<Answer>(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const hasBody = method === 'POST' || method === 'PATCH';
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      method,
      headers: {
        accept: 'application/json, application/problem+json',
        ...(hasBody && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(hasBody && { body: JSON.stringify(body ?? {}) }),
      // Only my account has a cookie, as one half of its session. The `vouch-page` header says which page is calling.
      credentials: path.startsWith('/account/') ? 'same-origin' : 'omit',
      cache: 'no-store',
      signal: AbortSignal.timeout(callTimeout),
    });
    text = await response.text();
  } catch (cause) {
    throw new UnreachableError(cause);
  }
  if (!response.ok) throw new ProblemError(readProblem(response.status, response.headers, text));
  if (response.status === 204) return undefined as Answer;
  try {
    return JSON.parse(text) as Answer;
  } catch (cause) {
    throw new UnreachableError(cause);
  }
}
