import { printable } from './text/printable.ts';

/**
 * Exit codes of every `vouch` command: 1 failed, 2 usage, 3 no session or session over, 4 server or AWS unreachable,
 * 5 refused by the server's policy or by AWS.
 */
export type ExitCode = 1 | 2 | 3 | 4 | 5;

export interface ProblemDetails {
  /** The last part of `urn:vouch:problem:<kind>`, for programs. */
  kind: string;
  /** What happened, a sentence. */
  what: string;
  /** Why, as far as it is known; empty when `what` says it all. */
  why?: string;
  /** What to do next; empty when there is nothing to do. */
  fix?: string;
  exitCode?: ExitCode;
}

/** The CLI's one kind of expected error: it is told to a person in three parts, what happened, why, and what to do. */
export class Problem extends Error {
  readonly kind: string;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  readonly exitCode: ExitCode;

  constructor(details: ProblemDetails, options?: ErrorOptions) {
    super(details.what, options);
    this.name = 'Problem';
    this.kind = details.kind;
    this.what = details.what;
    this.why = details.why ?? '';
    this.fix = details.fix ?? '';
    this.exitCode = details.exitCode ?? 1;
  }

  /** The non-empty parts in reading order, each made safe for a terminal. */
  lines(): string[] {
    return [this.what, this.why, this.fix].filter((part) => part !== '').map((part) => printable(part));
  }

  /** The problem as it travels from the agent to its clients (application/problem+json, RFC 9457). */
  toJSON(): Record<string, unknown> {
    return {
      type: `urn:vouch:problem:${this.kind}`,
      title: this.what,
      what: this.what,
      why: this.why,
      fix: this.fix,
      exitCode: this.exitCode,
    };
  }

  /** The problem that such JSON describes, or undefined when it describes none. */
  static fromJSON(value: unknown): Problem | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    const { type, what, why, fix, exitCode } = value as Record<string, unknown>;
    if (typeof type !== 'string' || typeof what !== 'string') return undefined;
    return new Problem({
      kind: type.replace(/^urn:vouch:problem:/, ''),
      what,
      why: typeof why === 'string' ? why : '',
      fix: typeof fix === 'string' ? fix : '',
      exitCode: isExitCode(exitCode) ? exitCode : 1,
    });
  }
}

/**
 * Tells a person about an error: what happened, why, and what to do, one a line.
 *
 * @param stderr where to write
 * @param error a `Problem`, or anything else that was thrown, of which only the message is shown (never the stack: it
 *   could carry values that are nobody's business)
 * @returns the exit code for the process
 */
export function printProblem(stderr: { write(text: string): unknown }, error: unknown): ExitCode {
  const problem = asProblem(error);
  const [what, ...rest] = problem.lines();
  stderr.write(`vouch: ${what}\n${rest.map((line) => `  ${line}\n`).join('')}`);
  return problem.exitCode;
}

/** Any thrown value as a `Problem`; what is not one already was not expected, and says so. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Problem(
    { kind: 'internal-error', what: 'Something unexpected went wrong.', why: message, fix: '' },
    { cause: error },
  );
}

function isExitCode(value: unknown): value is ExitCode {
  return value === 1 || value === 2 || value === 3 || value === 4 || value === 5;
}
