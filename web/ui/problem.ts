/** A refusal, in the form of RFC 9457 that docs/http-api.md describes. */
export interface Problem {
  /** The last part of `urn:vouch:problem:<name>`, or '' if the answer did not come from Vouch. */
  name: string;
  status: number;
  title: string;
  detail: string;
  /** From `Retry-After`, if the server sent it. */
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

const prefix = 'urn:vouch:problem:';

/** Reads a refusal. A proxy's HTML error page contains nothing that should be shown. */
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
  const { type, title, detail } = json as Record<string, unknown>;
  if (typeof type === 'string' && type.startsWith(prefix)) problem.name = type.slice(prefix.length);
  if (typeof title === 'string') problem.title = title;
  if (typeof detail === 'string') problem.detail = detail;
  return problem;
}
