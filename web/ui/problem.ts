/** RFC 9457, as docs/http-api.md uses it. */
export interface Problem {
  /** The last part of `urn:vouch:problem:<name>`, or '' when the answer was not one of ours. */
  name: string;
  status: number;
  title: string;
  detail: string;
  /** From `Retry-After`, when the server said so. */
  retryAfterSeconds?: number;
}

/** The server answered, and refused. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.title || `HTTP ${problem.status}`);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}

/** No answer came, or none that could be read. */
export class UnreachableError extends Error {
  constructor(cause: unknown) {
    super('The server did not answer', { cause });
    this.name = 'UnreachableError';
  }
}

const prefix = 'urn:vouch:problem:';
const patience = 30_000;

/**
 * Calls our own server; every way of not getting an answer becomes one of the two errors above.
 *
 * @param more further headers
 */
export async function call<Answer>(
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  more: Record<string, string> = {},
): Promise<Answer> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      method,
      headers: {
        accept: 'application/json, application/problem+json',
        ...(method === 'POST' && { 'content-type': 'application/json' }),
        ...more,
      },
      ...(method === 'POST' && { body: JSON.stringify(body ?? {}) }),
      // There are no cookies: what the server knows a page by, the page says.
      credentials: 'omit',
      cache: 'no-store',
      signal: AbortSignal.timeout(patience),
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

/** Reads what a refusal says. A proxy's HTML error page says nothing that should be shown. */
export function readProblem(status: number, headers: Headers, text: string): Problem {
  const retryAfter = Number.parseInt(headers.get('retry-after') ?? '', 10);
  const problem: Problem = {
    name: '',
    status,
    title: '',
    detail: '',
    ...(retryAfter > 0 && { retryAfterSeconds: retryAfter }),
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return problem;
  }
  if (typeof json !== 'object' || json === null) return problem;
  const said = json as Record<string, unknown>;
  if (typeof said.type === 'string' && said.type.startsWith(prefix)) problem.name = said.type.slice(prefix.length);
  if (typeof said.title === 'string') problem.title = said.title;
  if (typeof said.detail === 'string') problem.detail = said.detail;
  return problem;
}
