import { printable } from '../text/printable.ts';
import {
  type AwsReason,
  awsReasons,
  type NetworkFailure,
  networkFailures,
  type ProblemData,
  type ProblemDetails,
  type SessionEnd,
  sessionEnds,
} from './details.ts';
import { type ExitCode, exitCodeOf, readCategory } from './exit-code.ts';
import { type Category, categoryOf, isProblemKind, type ProblemKind } from './kinds.ts';

/*
 * The words for what goes wrong, each with one meaning:
 * - problem: an expected error. A program throws it as a `Problem`, and prints it.
 * - kind, category: which problem it is, and what a script should do about it (kinds.ts).
 * - reason: why AWS gave no credentials, or why the session is over; network failure: why a request got no answer (details.ts).
 * - outage: a problem that may soon pass, so the request is tried again (network/outage.ts).
 * - refusal: the server or AWS answered, and decided against the request.
 * - note: something that a person should know, although nothing has failed (note.ts).
 * - obstacle: a setting of Git that keeps Vouch from serving a URL (git/obstacles.ts).
 * - finding: what a check of `vouch doctor` has found. A `trouble` fails the check, a `warning` does not (doctor/check.ts).
 */

/** An expected error: data for programs, and three parts for a person: what happened, why, and what to do. */
export class Problem extends Error implements ProblemData {
  readonly kind: ProblemKind;
  readonly category: Category;
  readonly code: string | undefined;
  readonly reason: AwsReason | SessionEnd | undefined;
  readonly role: string | undefined;
  readonly action: string | undefined;
  readonly said: string | undefined;
  readonly network: NetworkFailure | undefined;
  readonly what: string;
  readonly why: string;
  readonly fix: string;

  constructor(details: ProblemDetails, options?: ErrorOptions) {
    super(details.what, options);
    this.name = 'Problem';
    this.kind = details.kind;
    this.category = details.category ?? categoryOf(details.kind);
    this.code = details.code;
    this.reason = details.reason;
    this.role = details.role;
    this.action = details.action;
    this.said = details.said;
    this.network = details.network;
    this.what = details.what;
    this.why = details.why ?? '';
    this.fix = details.fix ?? '';
  }

  get exitCode(): ExitCode {
    return exitCodeOf(this.category, this.kind);
  }

  /** The non-empty parts in reading order, each made safe for a terminal. */
  lines(): string[] {
    return [this.what, this.why, this.fix].filter((part) => part !== '').map((part) => printable(part));
  }

  /** The problem as it travels from the agent to its clients (application/problem+json, RFC 9457). */
  toJSON(): Record<string, unknown> {
    const { kind, category, code, reason, role, action, said, network, what, why, fix, exitCode } = this;
    const type = `urn:vouch:problem:${kind}`;
    return { type, title: what, category, code, reason, role, action, said, network, what, why, fix, exitCode };
  }

  /** The problem that such JSON describes; undefined when the JSON is not a problem. */
  static fromJSON(value: unknown): Problem | undefined {
    const { type, what, category, exitCode, reason, network, ...rest } = Object(value) as Record<string, unknown>;
    if (typeof type !== 'string' || typeof what !== 'string') return undefined;
    const name = type.replace(/^urn:vouch:problem:/, '');
    const text = (key: string) => (typeof rest[key] === 'string' ? rest[key] : undefined);
    return new Problem({
      kind: isProblemKind(name) ? name : 'unknown',
      category: readCategory(category, exitCode),
      code: text('code'),
      reason: [...awsReasons, ...sessionEnds].find((known) => known === reason),
      role: text('role'),
      action: text('action'),
      said: text('said'),
      network: networkFailures.find((known) => known === network),
      what,
      why: text('why') ?? '',
      fix: text('fix') ?? '',
    });
  }
}

/** Any thrown value as a `Problem`. A value that is not one already was unexpected, and becomes an `internal-error`. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Problem(
    { kind: 'internal-error', what: 'Something unexpected went wrong.', why: message },
    { cause: error },
  );
}
